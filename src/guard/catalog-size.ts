import { type Deadline, within } from "../deadlines.ts";
import { createCatalog } from "../catalog/repository.ts";

const FRESH_MS = 60_000;
/** No call waits for longer, as none is refused for it. */
const DEADLINE_MS = 1_000;
const known = new WeakMap<D1Database, { size: number; at: number }>();

/**
 * Active products, which some flow rules go by: at most a minute old, and as it was last
 * known where it can't be read. Without that 0, by which those rules are at their strictest.
 */
export async function catalogSize(db: D1Database, now: number, deadline?: Deadline): Promise<number> {
  const fresh = known.get(db);
  if (fresh !== undefined && now - fresh.at < FRESH_MS) return fresh.size;
  try {
    const read = () => createCatalog(db).overview();
    const { activeProducts: size } = await (deadline === undefined
      ? within(DEADLINE_MS, read)
      : deadline.within(DEADLINE_MS, read));
    known.set(db, { size, at: now });
    return size;
  } catch {
    return fresh?.size ?? 0;
  }
}
