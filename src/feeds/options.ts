import * as z from "zod";
import { PRESET_NAMES } from "../catalog/import/read/presets/index.ts";
import { isCurrency } from "../catalog/import/record.ts";
import { pairsOf } from "../catalog/import/read/choices.ts";
import type { ReadFlags } from "../catalog/import/read/prepare.ts";
import { feedUrl } from "./feed-url.ts";

const pairs = (option: "--map" | "--set") =>
  z
    .array(z.string().max(500))
    .max(50)
    .default([])
    .superRefine((texts, context) => {
      try {
        pairsOf(option, texts);
      } catch (error) {
        context.addIssue(error instanceof Error ? error.message : "is not a list of field=text");
      }
    });

/** How a delivery is read and applied, as the options of the command `import` say it. */
export const optionsSchema = z.object({
  from: z.enum(PRESET_NAMES).optional(),
  format: z.enum(["csv", "tsv", "jsonl", "json", "xml"]).optional(),
  encoding: z.string().max(40).optional(),
  currency: z
    .string()
    .transform((code) => code.toUpperCase())
    .refine(isCurrency, "is not an ISO 4217 code")
    .optional(),
  delimiter: z.string().max(2).optional(),
  decimal: z.enum(["point", "comma"]).optional(),
  prices: z.enum(["major", "minor"]).optional(),
  set: pairs("--set"),
  map: pairs("--map"),
  quarantine: z.boolean().default(false),
  /** Discontinues products that the delivery lacks, unless it has a bad row. */
  remove_missing: z.boolean().default(false),
});
export type DeliveryOptions = z.output<typeof optionsSchema>;

export const MINUTES_MIN = 15;
export const MINUTES_MAX = 31 * 24 * 60;
export const newFeedSchema = optionsSchema.extend({
  url: z
    .string()
    .max(2_000)
    .refine(
      (text) => feedUrl(text) !== undefined,
      "must be https on the usual port of a public host name; write % in a password as %25",
    ),
  every_minutes: z.int().min(MINUTES_MIN).max(MINUTES_MAX),
});

export const newUploadSchema = optionsSchema.extend({ name: z.string().min(1).max(200) });

/** The choices that a file's question may ask for. */
const choiceSchema = optionsSchema
  .pick({ prices: true, decimal: true, currency: true, encoding: true })
  .partial();

/** A person's decision: the delivery that was seen, and the choice if it asks for one. */
export const decisionSchema = choiceSchema.extend({ delivery: z.string().min(1) });

/** The flags of the importer. */
export function flagsOf({
  from,
  format,
  encoding,
  currency,
  delimiter,
  decimal,
  prices,
  set,
  map,
}: DeliveryOptions) {
  return {
    set,
    map,
    ...(from && { from }),
    ...(format && { format }),
    ...(encoding && { encoding }),
    ...(currency && { currency }),
    ...(delimiter && { delimiter }),
    ...(decimal && { decimal }),
    ...(prices === "major" && { majorPrices: true }),
    ...(prices === "minor" && { minorPrices: true }),
  } satisfies ReadFlags;
}
