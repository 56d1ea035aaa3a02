import * as z from "zod";
import { plainLine } from "../text/plain-text.ts";

// The arguments of UCP's tools as agents send them, `{meta, catalog}`, and as the tools, the policy and the audit name them.
// Members that this server does not use, such as `signals`, are accepted and dropped: they may describe a person.

const CATEGORIES_MAX = 20;

const unused = z.looseObject({}).optional();
const amount = z.int().min(0);

const filters = z
  .looseObject({
    categories: z.array(z.string().max(200)).max(CATEGORIES_MAX).optional(),
    price: z.looseObject({ min: amount.optional(), max: amount.optional() }).optional(),
  })
  .optional()
  .describe("Prices are in minor units of context.currency");

/** Members of `catalog` that every tool takes. */
const common = {
  context: z.looseObject({ currency: z.string().max(10).optional() }).optional(),
  filters,
  signals: unused,
  attribution: unused,
};

/** `meta` of the examples in tool definitions. */
export const EXAMPLE_META = { "ucp-agent": { profile: "https://agent.example/.well-known/ucp" } };

export const identifier = z.string().overwrite(plainLine).min(1).max(200);

/** Returns the schema of `{meta, catalog}` with these members of `catalog`. */
export const wireSchema = <Shape extends z.ZodRawShape>(catalog: Shape) =>
  z.looseObject({
    meta: z.looseObject({ "ucp-agent": z.looseObject({ profile: z.string().min(1).max(1_000) }) }),
    catalog: z.looseObject({ ...catalog, ...common }),
  });

interface Wire {
  meta: { "ucp-agent": { profile: string } };
  catalog: {
    context?: { currency?: string | undefined } | undefined;
    filters?: z.output<typeof filters>;
  };
}

/** The filters of a call. Prices are in minor units of `currency`, or of the catalog's own if that is absent. */
export interface Asked {
  profile: string;
  categories?: string[] | undefined;
  price_min?: number | undefined;
  price_max?: number | undefined;
  currency?: string | undefined;
}

export const readCommon = ({ meta, catalog: { context, filters: given } }: Wire): Asked => ({
  profile: meta["ucp-agent"].profile,
  categories: given?.categories,
  price_min: given?.price?.min,
  price_max: given?.price?.max,
  currency: context?.currency,
});
