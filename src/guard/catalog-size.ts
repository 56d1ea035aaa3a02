import * as z from "zod";

const FRESH_MS = 60_000;
const known = new WeakMap<D1Database, { size: number; at: number }>();

/**
 * Active products, which some flow rules go by: at most a minute old. 0 where it can't be read, by which
 * those rules are at their strictest.
 */
export async function catalogSize(db: D1Database, now: number): Promise<number> {
  const fresh = known.get(db);
  if (fresh !== undefined && now - fresh.at < FRESH_MS) return fresh.size;
  try {
    const row = await db.prepare("SELECT active_products FROM catalog_state").first();
    const { active_products: size } = z.object({ active_products: z.int() }).parse(row);
    known.set(db, { size, at: now });
    return size;
  } catch {
    return fresh?.size ?? 0;
  }
}
