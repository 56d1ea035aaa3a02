import * as z from "zod";
import { VARIANTS_MAX, firstToShow, groupDetailSchema, toGroupDetail } from "../catalog/group.ts";
import { countedAs, productDetailSchema } from "../catalog/product.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok, refuse } from "../refusal.ts";
import { HINTED_SKUS, skuSchema, unknownSku } from "../catalog/sku.ts";
import { earlierDetailSchema, toEarlierDetail } from "./earlier/product.ts";
import { olderVersion } from "./older-version.ts";
import { groupText, offerText, optionsText, ratingText } from "./product-line.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const output = z.strictObject({ ...productDetailSchema.shape, group: groupDetailSchema.optional() });
type Output = z.output<typeof output>;
type EarlierOutput = z.output<typeof earlierDetailSchema>;

const ABOUT = `by its exact SKU: price, description, attributes, availability`;

export const getProduct = defineTool({
  name: "get_product",
  version: 2,
  title: "Get one product",
  description: `Everything public about one product ${ABOUT}, and its variants with what is available in each option.
Give the SKU of any variant or a group's id, both from search_products; an unknown SKU is answered with the nearest real ones.`,
  examples: [{ sku: "SKU-10001" }],
  annotations: READ_ONLY,
  scope: "catalog:read",
  runsAhead: true,
  hasCard: true,
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: ["sku", "group"], results: ["sku"], hints: HINTED_SKUS },
    cost: { records: 1, bytes: 128_000 },
  },
  input: z
    .strictObject({
      sku: skuSchema.optional(),
      group: z.string().trim().min(1).max(200).optional().describe("Instead of a SKU: a group's id"),
    })
    .refine(({ sku, group }) => (sku === undefined) !== (group === undefined), {
      message: "Give either sku or group",
    }),
  output,

  async run({ sku, group }, { catalog, now }) {
    const variantsOf = (id: string) => catalog.variants(id, VARIANTS_MAX + 1, now);
    const chosen = group === undefined ? [] : await variantsOf(group);
    const shown = sku ?? firstToShow(chosen)?.sku;
    if (shown === undefined)
      return refuse("not_found", "No product with variants has that group id.", {
        missing: group === undefined ? [] : [group],
      });
    const [product] = await catalog.products([shown], now);
    if (product === undefined) return unknownSku(catalog, shown);
    const { group: found, ...detail } = product;
    const variants = found === undefined || chosen.length > 0 ? chosen : await variantsOf(found.id);
    const answer: Output = {
      ...detail,
      ...(found !== undefined && { group: toGroupDetail(found, variants) }),
    };
    return ok({
      ...answered(answer, { records: 1 }),
      // Variants count as the product that they are.
      measured: { ...answer, sku: countedAs(product) },
    });
  },

  text: (product) =>
    [
      `${product.sku}: ${product.name}`,
      `Price: ${offerText(product)}`,
      ...labelled([
        ["Options", optionsText(product.options ?? [])],
        ["Page", product.url],
        ["Rating", product.rating && ratingText(product.rating)],
        ["Brand", product.brand],
        ["Model", product.model],
        ["Category", product.category],
        ["Condition", product.condition],
        ["GTIN", product.gtin],
        ...product.images.map((url) => ["Image", url] as const),
      ]),
      ...aboutLines(product),
      ...(product.group === undefined ? [] : groupLines(product.group)),
    ].join("\n"),

  previous: [
    olderVersion({
      version: 1,
      deprecated: { since: "2026-12-01", until: "2027-06-01" },
      description: `Everything public about one product ${ABOUT}.`,
      examples: [{ sku: "SKU-10001" }],
      input: z.strictObject({ sku: skuSchema }),
      output: earlierDetailSchema,
      toCurrent: ({ sku }) => ({ sku }),
      fromCurrent: (product: Output) => toEarlierDetail(product),
      text: (product) =>
        [
          `${product.sku}: ${product.name}`,
          `Price: ${offerText({ ...product })}`,
          ...labelled([
            ["Brand", product.brand],
            ["Model", product.model],
            ["Category", product.category],
            ["GTIN", product.gtin],
            ["Image", product.image_url],
          ]),
          ...aboutLines(product),
        ].join("\n"),
    }),
  ],
});

// Every line starts with a label, so third-party text cannot start a line of its own.
const labelled = (fields: (readonly [label: string, value: string | undefined])[]): string[] =>
  fields.flatMap(([label, value]) => (value === undefined || value === "" ? [] : [`${label}: ${value}`]));

const aboutLines = ({
  description,
  attributes,
  truncated,
}: Pick<EarlierOutput, "description" | "attributes" | "truncated">): string[] => [
  `Description: ${description.replaceAll("\n", "\n  ")}`,
  ...Object.entries(attributes).map(([key, value]) => `Attribute ${key}: ${value}`),
  ...(truncated ? ["(Description or attributes were cut.)"] : []),
];

const groupLines = (group: NonNullable<Output["group"]>): string[] => [
  `Variants: ${groupText(group)}`,
  ...group.options.map(
    ({ name, values }) =>
      `Option ${name}: ${values.map(({ value, availability }) => `${value} (${availability})`).join(", ")}`,
  ),
  ...group.items.map(
    (item) =>
      `Variant ${item.sku}: ${[optionsText(item.options), offerText(item), item.gtin && `GTIN ${item.gtin}`, item.image && `image ${item.image}`, item.url].filter(Boolean).join(", ")}`,
  ),
  ...(group.truncated ? ["(More variants exist than are listed.)"] : []),
];
