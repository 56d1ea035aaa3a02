import type { FlowCall, FlowResult } from "./event.ts";
import { type Labels, isPersonal } from "./labels.ts";
import { neighbourhoodsNamed, touchedBy } from "./tokens.ts";

/** Describes a call for the detector. `key` is the HMAC key of src/detection/tokens.ts. */
export function describeCall(
  labels: Labels,
  { arguments: args, key, ...rest }: Pick<FlowCall, Known> & { arguments: unknown; key: string },
): FlowCall {
  return { ...rest, ...describeArguments(labels, args, key) };
}

/** Fields of a call that come neither from its labels nor from its arguments. */
type Known = "at" | "attempt" | "tool" | "digest" | "roles";

/** Derives the part of a call that depends only on its labels and arguments. */
export function describeArguments(labels: Labels, args: unknown, key: string): Omit<FlowCall, Known> {
  const touched = touchedBy(labels, "arguments", args, key);
  const records = recordsAsked(labels.cost, args);
  return {
    ...touched,
    neighbourhoods: neighbourhoodsNamed(labels, args, key),
    classes: labels.classes,
    kinds: labels.kinds,
    cost: { records, bytes: labels.cost.bytes },
    unnamed: {
      subject: isPersonal(labels) && labels.subjects.results.length > 0 && touched.subjects.length === 0,
      objects: labels.objects.results.length > 0 && touched.objects.length === 0 ? records : 0,
    },
    ...(labels.explains === true && { explains: true }),
  };
}

/** Describes an answer for the detector. `value` is the structured content, or undefined if there was none. */
export function describeResult(
  labels: Labels,
  {
    value,
    key,
    ...rest
  }: Omit<FlowResult, keyof ReturnType<typeof touchedBy>> & { value: unknown; key: string },
): FlowResult {
  return { ...rest, ...touchedBy(labels, "results", value, key) };
}

/** An invalid page size is rejected elsewhere; until then it reserves the maximum. */
function recordsAsked({ records, page }: Labels["cost"], args: unknown): number {
  if (page === undefined || typeof args !== "object" || args === null) return records;
  const asked: unknown = Object.getOwnPropertyDescriptor(args, page.argument)?.value ?? page.default;
  return typeof asked === "number" && asked >= 1 && asked <= records ? Math.ceil(asked) : records;
}
