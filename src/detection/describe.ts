import type { FlowCall, FlowResult } from "./event.ts";
import { type Labels, isPersonal } from "./labels.ts";
import { neighbourhoodsNamed, touchedBy } from "./tokens.ts";

/** The call as the detector sees it. `key` is of src/detection/tokens.ts. */
export function describeCall(
  labels: Labels,
  { arguments: args, key, ...rest }: Pick<FlowCall, Known> & { arguments: unknown; key: string },
): FlowCall {
  return { ...rest, ...describeArguments(labels, args, key) };
}

/** Parts of a call that are neither in its labels nor in its arguments' ids. */
type Known = "at" | "attempt" | "tool" | "digest" | "roles";

/** What a call's labels and arguments say, whoever makes it and whenever. */
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
  };
}

/** The answer as the detector sees it. `value` is the structured content, or undefined where there was none. */
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

/** A page that is no sensible number is refused elsewhere; until then it reserves the most. */
function recordsAsked({ records, page }: Labels["cost"], args: unknown): number {
  if (page === undefined || typeof args !== "object" || args === null) return records;
  const asked: unknown = Object.getOwnPropertyDescriptor(args, page.argument)?.value ?? page.default;
  return typeof asked === "number" && asked >= 1 && asked <= records ? Math.ceil(asked) : records;
}
