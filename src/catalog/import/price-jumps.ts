import * as z from "zod";
import type { Statement } from "../../database/statement.ts";
import { PRICE_JUMP } from "./compare.ts";

const jump = z.object({ sku: z.string(), currency: z.string(), before: z.int(), after: z.int() });
export const jumpRows = z.array(jump);
/** A price before and after, in minor units. */
export type PriceJump = z.output<typeof jump>;

const EXAMPLES = 3;

/**
 * Returns the first regular prices that an import would make more than five times higher or lower: `sku`, `currency`, and
 * `before` and `after` in minor units. compareRows() counts all of them.
 */
export function firstPriceJumps(importId: string): Statement {
  return {
    sql: `SELECT sku, currency, before, after FROM (
        SELECT p.sku, p.currency, p.price_minor AS before, record ->> 'price_minor' AS after
        FROM import_rows r JOIN products p ON p.sku = r.sku
        WHERE r.import_id = ?1 AND p.currency = record ->> 'currency')
      WHERE max(before, after) > ${PRICE_JUMP} * min(before, after) LIMIT ${EXAMPLES}`,
    values: [importId],
  };
}
