import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { CALL_KINDS, DATA_CLASSES } from "../../detection/labels.ts";
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
 * A row of records as far as this release understands it: a later one may have stored it, with fields, values and kinds of its
 * own. Undefined where nothing can be made of it. `tell` hears what is not understood.
 */
export function readRecord(row: unknown, tell: (error: unknown) => void): AuditRecord | undefined {
  const text = textRow.safeParse(row);
  if (!text.success) {
    tell(text.error);
    return undefined;
  }
  const read = recordSchema.safeParse(text.data.text);
  if (read.success) return read.data;
  tell(read.error);
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

/** Field by field, with what errs towards caution in place of what is not understood. */
function salvage(stored: Stored): AuditRecord | undefined {
  const shape = SHAPES.get(stored.kind);
  if (shape === undefined) return undefined;
  const fields = Object.entries(shape).map(([name, schema]) => {
    const { success, data } = schema.safeParse(stored[name]);
    return [name, success ? data : insteadOf(name, stored)];
  });
  return recordSchema.safeParse(Object.fromEntries(fields)).data;
}

/**
 * What stands for a field that is not understood; undefined for one without which the record is not read. An outcome without
 * what it answered is such a one: its call counts as one whose outcome was lost.
 */
function insteadOf(field: string, { kind, at, ...stored }: Stored): unknown {
  if (field === "hits") return hitsOf(stored["hits"]);
  if (field === "flow" && kind === "attempt") return flowOf(stored["flow"]);
  if (field === "charges") return [[at, 1]];
  if (field === "last_at") return at;
  return INSTEAD.get(field);
}

const INSTEAD = new Map<string, unknown>([
  ["target", "request"],
  ["name", ""],
  ["outcome", "internal"],
  ["bucket", "calls"],
  // It was charged: that much is certain of most calls.
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

/** The hits that are understood. */
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
});

/** A class of data that this release does not know counts as personal data. */
function flowOf(flow: unknown): unknown {
  const { success, data } = looseFlow.safeParse(flow);
  if (!success) return null;
  const classes = data.classes.map((name) => DATA_CLASSES.find((each) => each === name) ?? "identity");
  const kinds = CALL_KINDS.filter((kind) => data.kinds.includes(kind));
  return { ...data, classes: [...new Set(classes)], kinds };
}
