import * as z from "zod";
import { VARIANTS_MAX, firstToShow } from "../catalog/group.ts";
import type { Variant } from "../catalog/product.ts";
import type { Catalog } from "../catalog/repository.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { READ_ONLY, defineTool } from "../tools/tool.ts";
import { EXAMPLE_META, identifier, readCommon, wireSchema } from "./arguments.ts";
import { hasCategory, hasPrice, readFilter } from "./filters.ts";
import { choicesFor, narrow, optionsOf } from "./option-selection.ts";
import { detailSchema, ownVariant, toProduct, toVariant } from "./product.ts";
import { LOOKUP, answerSchema, forAgent, notFound, withMessages } from "./protocol.ts";

const OPTIONS_MAX = 20;
const text = z.string().min(1).max(200);

export const getProductOverUcp = defineTool({
  name: "ucp:get_product",
  calledAs: "get_product",
  version: 1,
  title: "Get one product",
  description:
    "Everything public about one product, by the id of the product or of a variant. Pass catalog.selected to choose among its variants.",
  examples: [
    {
      meta: EXAMPLE_META,
      catalog: { id: "SKU-10001" },
    },
  ],
  annotations: READ_ONLY,
  scope: "catalog:read",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: ["id"], results: ["product.id"] },
    cost: { records: 1, bytes: 200_000 },
  },
  input: wireSchema({
    id: identifier,
    selected: z
      .array(z.looseObject({ name: text, label: text }))
      .max(OPTIONS_MAX)
      .optional(),
    preferences: z.array(text).max(OPTIONS_MAX).optional(),
  }).transform((sent) => ({
    ...readCommon(sent),
    id: sent.catalog.id,
    selected: sent.catalog.selected,
    preferences: sent.catalog.preferences,
  })),
  namesParsed: true,
  output: answerSchema({ product: detailSchema }),

  run: ({ profile, id, selected = [], preferences = [], ...asked }, context) =>
    forAgent(profile, LOOKUP, context, async (answering) => {
      const { catalog, now } = context;
      const missing = () =>
        ok(
          answered(notFound(`Product not found: ${id}`, answering), {
            records: 0,
            missed: true,
            missing: [id],
          }),
        );
      const found = await resolve(catalog, id, now);
      if (found === undefined) return missing();
      const { named, variants } = found;
      const wanted = new Map(selected.map(({ name, label }) => [name, label]));
      const chosen =
        named === undefined && wanted.size > 0 ? narrow(variants, wanted, preferences) : undefined;
      const featured = named ?? firstToShow(chosen?.variants ?? variants);
      if (featured === undefined) return missing();
      const [detail] = await catalog.products([featured.sku], now);
      if (detail === undefined) return missing();

      const selection = chosen?.selected ?? optionsOf(featured);
      const matching = chosen?.variants ?? narrow(variants, selection, []).variants;
      const filter = await readFilter(catalog, asked);
      const shown = [featured, ...matching.filter(({ sku }) => sku !== featured.sku)].filter(
        ({ price }) => hasPrice(filter, price) && hasCategory(filter, detail.category),
      );
      if (shown.length === 0)
        return ok(
          answered(notFound("No variant of the product passes the filters.", answering), { records: 1 }),
        );
      const options = choicesFor(variants, selection);
      const product = {
        ...toProduct(detail),
        variants: shown.slice(0, VARIANTS_MAX).map((variant) => toVariant(variant, detail.name)),
        ...(options.length > 0 && {
          options,
          selected: Array.from(selection, ([name, label]) => ({ name, label })),
        }),
      };
      const answer = { ...answering, product, ...withMessages(filter.messages) };
      return ok(answered(answer, { records: 1 }));
    }),

  text: (answer) => JSON.stringify(answer),
});

/** Finds a variant by its id, else a product. `named` is the variant that the id names. */
async function resolve(
  catalog: Catalog,
  id: string,
  now: number,
): Promise<{ named: Variant | undefined; variants: Variant[] } | undefined> {
  const [detail] = await catalog.products([id], now);
  const group = detail === undefined ? id : detail.group?.id;
  const variants = group === undefined ? [] : await catalog.variants(group, VARIANTS_MAX, now);
  if (detail === undefined) return variants.length === 0 ? undefined : { named: undefined, variants };
  const named = ownVariant(detail);
  return { named, variants: variants.some(({ sku }) => sku === id) ? variants : [named, ...variants] };
}
