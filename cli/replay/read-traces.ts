import * as z from "zod";
import { detailsNamed } from "../../src/support/details.ts";
import { describeCall, describeResult } from "../../src/detection/describe.ts";
import { type Labels, NOWHERE, isPublicRead } from "../../src/detection/labels.ts";
import { tokenOf } from "../../src/detection/tokens.ts";
import { allTools } from "../../src/ucp/registry.ts";
import { readJsonl } from "../../src/catalog/import/read/read-jsonl.ts";
import { BadInput, type RecordedCall, type Recording, type RecordingReader } from "./recording.ts";

const names = z.array(z.string()).default([]);

/** One trace. Further fields are ignored. */
export const traceSchema = z.object({
  id: z.string(),
  label: z.enum(["benign", "attack"]).optional(),
  family: z.string().optional(),
  catalog_size: z.int().nonnegative(),
  principal: z.object({ id: z.string().optional(), role: z.string() }),
  calls: z.array(
    z.object({
      at_ms: z.number().nonnegative(),
      tool: z.string(),
      arguments: z.record(z.string(), z.unknown()).default({}),
      result: z.object({
        records: z.number().nonnegative().default(0),
        subjects: names,
        products: names,
        bytes: z.number().nonnegative().default(0),
        error: z.boolean().default(false),
        /** Details of people that the answer shows, each as the arguments of a search that finds the person. */
        shown: z.array(z.record(z.string(), z.unknown())).exactOptional(),
        /** The answer is a ticket that is assigned to the caller. */
        assigned: z.boolean().exactOptional(),
      }),
    }),
  ),
});
export type Trace = z.output<typeof traceSchema>;

// Traces begin at 0; the detector expects times since the epoch.
const BEGIN = Date.UTC(2026, 0, 1);
// Ids in a trace are not secret from a person who has the trace.
const KEY = "a replay keeps nothing, so its key is no secret";

/**
 * The labels of the server's own tools, with the fields where traces keep ids: a product may be named by `id` instead of
 * `sku`. Tools that the server lacks are not judged.
 */
const TRACED_TOOLS: ReadonlyMap<string, Labels> = new Map(
  allTools.map(({ name, labels: { subjects, objects, ...labels } }) => {
    const isProducts = labels.classes.includes("catalog") && objects !== NOWHERE;
    const inTraces = {
      subjects: subjects === NOWHERE ? NOWHERE : { ...subjects, results: ["subjects[]"] },
      objects: {
        arguments: isProducts ? [...objects.arguments, "id"] : objects.arguments,
        results: isProducts ? ["products[]"] : [],
      },
    };
    return [name, { ...labels, ...inTraces }];
  }),
);

export function recordingOf({ id, label, family, catalog_size, principal, calls }: Trace): Recording {
  let page = 0;
  for (const { tool, result } of calls)
    if (tool === "search_products") page = Math.max(page, result.products.length);
  return {
    id,
    label,
    family,
    catalogSize: catalog_size,
    calls: calls.flatMap((call, index) => recordedCall(call, index, { role: principal.role, page })),
    rate: {
      events: calls.map(({ at_ms, tool }, index) => ({
        at: BEGIN + at_ms,
        bucket: "calls",
        roles: [principal.role],
        name: tool,
        attempt: index + 1,
        isRefusedBefore: false,
      })),
      unplaced: 0,
    },
  };
}

/** A trace does not record the page size of a search, so its largest page is used. */
function withPage(labels: Labels, largest: number): Labels {
  const { cost } = labels;
  if (cost.page === undefined) return labels;
  const page = { ...cost.page, default: Math.max(cost.page.default, largest) };
  return { ...labels, cost: { ...cost, records: Math.max(cost.records, largest), page } };
}

/** Returns undefined for tools without labels, which are left out. */
function recordedCall(
  { tool, at_ms, arguments: args, result }: Trace["calls"][number],
  index: number,
  { role, page }: { role: string; page: number },
): RecordedCall[] {
  const known = TRACED_TOOLS.get(tool);
  if (known === undefined) return [];
  const labels = withPage(known, page);
  const at = BEGIN + at_ms;
  const { records, bytes, error: missed, shown = [], assigned = false } = result;
  const digest = tokenOf("arguments", JSON.stringify(args), KEY);
  const described = describeCall(labels, {
    tool,
    at,
    attempt: index + 1,
    digest,
    roles: [role],
    arguments: args,
    key: KEY,
  });
  const details = described.unnamed.subject ? detailsNamed(args, KEY) : [];
  const call = { ...described, ...(details.length > 0 && { details }) };
  return [
    {
      index,
      call,
      result: describeResult(labels, {
        at,
        // A trace also counts the record that an unknown id would have returned.
        records: missed ? 0 : records,
        bytes,
        missed,
        missing: missed && isPublicRead(labels) ? call.objects : [],
        shown: shown.flatMap((each) => detailsNamed(each, KEY)).flatMap(({ tokens }) => tokens),
        explained: assigned ? result.subjects.map((id) => tokenOf("subject", id, KEY)) : [],
        tainted: false,
        canary: false,
        value: result,
        key: KEY,
      }),
      answered: { subjects: result.subjects, products: result.products },
    },
  ];
}

/** A busy agent's day is half a megabyte; a crawl is more. */
const TRACE_MAX = 64 * 1024 * 1024;

/** Reads traces in JSON Lines, as the shared data's README describes them. */
export const readTraces: RecordingReader = async function* readTraces(name, bytes) {
  for await (const row of readJsonl(bytes, TRACE_MAX)) {
    if ("problem" in row) throw new BadInput(`${name}, line ${row.line}: ${row.problem}`);
    const trace = traceSchema.safeParse(row.value);
    if (!trace.success) {
      const [issue] = trace.error.issues;
      throw new BadInput(
        `${name}, line ${row.line}: not a trace: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`,
      );
    }
    yield recordingOf(trace.data);
  }
};
