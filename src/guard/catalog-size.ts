import { createCatalog } from "../catalog/repository.ts";

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
    const { activeProducts: size } = await createCatalog(db).overview();
    known.set(db, { size, at: now });
    return size;
  } catch {
    return fresh?.size ?? 0;
  }
}
