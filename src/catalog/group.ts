import * as z from "zod";
import { type Availability, availabilitySchema, bestAvailability } from "./availability.ts";
import { type ProductSummary, type Variant, groupSchema, variantSchema } from "./product.ts";

/** Variants that one answer lists. */
export const VARIANTS_MAX = 100;

/** A product with variants: what can be chosen, and each variant. */
export const groupDetailSchema = z.strictObject({
  ...groupSchema.shape,
  options: z.array(
    z.strictObject({
      name: z.string(),
      values: z.array(
        z.strictObject({
          value: z.string(),
          availability: availabilitySchema.describe("Of the variant with this value that serves best"),
        }),
      ),
    }),
  ),
  items: z.array(variantSchema),
  truncated: z.boolean().describe("True where more variants exist than are listed"),
});
type GroupDetail = z.output<typeof groupDetailSchema>;

/** Describes a group by its variants, of which one more than VARIANTS_MAX may be given. */
export const toGroupDetail = (
  group: NonNullable<ProductSummary["group"]>,
  variants: readonly Variant[],
): GroupDetail => ({
  ...group,
  options: choices(variants),
  items: variants.slice(0, VARIANTS_MAX),
  truncated: variants.length > VARIANTS_MAX,
});

function choices(variants: readonly Variant[]): GroupDetail["options"] {
  const found = new Map<string, Map<string, Availability[]>>();
  for (const { options, availability } of variants) {
    for (const { name, value } of options) {
      const values = found.get(name) ?? new Map<string, Availability[]>();
      found.set(name, values);
      values.set(value, [...(values.get(value) ?? []), availability]);
    }
  }
  return Array.from(found, ([name, values]) => ({
    name,
    values: Array.from(values, ([value, of]) => ({ value, availability: bestAvailability(of) })),
  }));
}

/** Returns the variant to show for a whole group: the first that can be bought. */
export function firstToShow(variants: readonly Variant[]): Variant | undefined {
  const best = bestAvailability(variants.map(({ availability }) => availability));
  return variants.find(({ availability }) => availability === best);
}
