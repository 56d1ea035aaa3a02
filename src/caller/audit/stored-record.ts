import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { CALL_KINDS, DATA_CLASSES } from "../../detection/labels.ts";
import { writeSizeSchema } from "../../detection/size.ts";
import {
  type AuditRecord,
  attemptSchema,
  changeSchema,
  decisionSchema,
  hitSchema,
  outcomeSchema,
  recordSchema,
  repeatsSchema,
} from "./records.ts";

const textRow = z.object({ text: jsonText });
const baseSchema = z.looseObject({ kind: z.string(), seq: z.int().min(1), at: z.int() });
type Stored = z.output<typeof baseSchema>;

/**
 * Reads a stored record as far as this release understands it: a newer one may have stored unknown fields, values and kinds.
 * Returns undefined if nothing can be read. `report` gets the errors.
 */
export function readRecord(row: unknown, report: (error: unknown) => void): AuditRecord | undefined {
  const text = textRow.safeParse(row);
  if (!text.success) {
    report(text.error);
    return undefined;
  }
  const read = recordSchema.safeParse(text.data.text);
  if (read.success) return read.data;
  report(read.error);
  const stored = baseSchema.safeParse(text.data.text);
  return stored.success ? salvage(stored.data) : undefined;
}

const SHAPES = new Map<string, Record<string, z.ZodType>>([
  ["attempt", attemptSchema.shape],
  ["outcome", outcomeSchema.shape],
  ["repeats", repeatsSchema.shape],
  ["decision", decisionSchema.shape],
  ["change", changeSchema.shape],
]);

/** Reads field by field, with a cautious value for each field that is not understood. */
function salvage(stored: Stored): AuditRecord | undefined {
  const shape = SHAPES.get(stored.kind);
  if (shape === undefined) return undefined;
  const fields = Object.entries(shape).map(([name, schema]) => {
    const { success, data } = schema.safeParse(stored[name]);
    return [name, success ? data : defaultFor(name, stored)];
  });
  return recordSchema.safeParse(Object.fromEntries(fields)).data;
}

/**
 * Returns the value for a field that is not understood, or undefined if the record can't be read without it. An outcome needs
 * its result: without one, its call counts as one whose outcome was lost.
 */
function defaultFor(field: string, { kind, at, ...stored }: Stored): unknown {
  if (field === "hits") return hitsOf(stored["hits"]);
  if (field === "flow" && kind === "attempt") return flowOf(stored["flow"]);
  if (field === "charges") return [[at, 1]];
  if (field === "last_at") return at;
  return DEFAULTS.get(field);
}

const DEFAULTS = new Map<string, unknown>([
  ["target", "request"],
  ["name", ""],
  ["outcome", "internal"],
  ["bucket", "calls"],
  // Most calls are charged.
  ["weight", 1],
  ["count", 1],
  ["roles", []],
  ["digest", ""],
  ["arguments", "{}"],
  ["protocol", ""],
  ["client", ""],
  ["correlation_id", ""],
  ["catalog_size", 0],
  ["duration_ms", 0],
  ["incident", null],
  ["note", null],
  ["key", null],
  ["customer", null],
  ["by", ""],
  ["allowance", 0],
]);

/** Returns the rule hits that this release understands. */
const hitsOf = (hits: unknown): unknown[] =>
  z
    .array(z.unknown())
    .catch([])
    .parse(hits)
    .filter((hit) => hitSchema.safeParse(hit).success);

const words = z.array(z.string()).catch([]);
const looseFlow = z.object({
  classes: words,
  kinds: words,
  cost: z.object({ records: z.int(), bytes: z.int() }).catch({ records: 1, bytes: 0 }),
  unnamed: z.object({ subject: z.boolean(), objects: z.int() }).catch({ subject: true, objects: 0 }),
  subjects: words,
  objects: words,
  neighbourhoods: words,
  size: writeSizeSchema.optional().catch(undefined),
});

/** Data classes that this release does not know count as personal data. */
function flowOf(flow: unknown): unknown {
  const { success, data } = looseFlow.safeParse(flow);
  if (!success) return null;
  const classes = data.classes.map((name) => DATA_CLASSES.find((each) => each === name) ?? "identity");
  const kinds = CALL_KINDS.filter((kind) => data.kinds.includes(kind));
  return { ...data, classes: [...new Set(classes)], kinds };
}
