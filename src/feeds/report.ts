import * as z from "zod";
import { QUESTIONS } from "../catalog/import/questions.ts";

/** Why a delivery waits for a person. */
export const REASONS = [...QUESTIONS, "upload"] as const;

const comparisonSchema = z.object({
  added: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  missing: z.int(),
  price_jumps: z.int(),
});

/** The contents of a delivery and the changes it makes, as the dashboard and the webhook get it. */
export const reportSchema = z.object({
  /** The kind of file, such as "a Google Merchant feed". */
  read_as: z.string(),
  /** Sentences about what was inferred and changed. */
  notes: z.array(z.string()),
  rows: z.int(),
  bad: z.int(),
  bad_rows: z.array(z.object({ line: z.int(), problem: z.string() })),
  comparison: comparisonSchema.nullable(),
  /** Whether products that the delivery lacks are discontinued. */
  removes_missing: z.boolean(),
  /** The first products as a shopper will see them. */
  examples: z.array(z.string()),
  /** Products whose text reads like an instruction to an AI model. */
  suspicious: z.object({
    count: z.int(),
    shown: z.array(z.object({ line: z.int(), sku: z.string() })),
    quarantined: z.boolean(),
  }),
  price_jumps: z.array(z.object({ sku: z.string(), currency: z.string(), before: z.int(), after: z.int() })),
  reasons: z.array(z.enum(REASONS)),
});
export type DeliveryReport = z.output<typeof reportSchema>;

/** A choice that only a person can make before a file can be read. */
export const questionSchema = z.object({
  asks: z.enum(["prices", "decimal", "currency"]),
  /** The question as the command says it, with the readings. */
  text: z.string(),
});
