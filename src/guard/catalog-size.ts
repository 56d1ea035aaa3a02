import { type Deadline, within } from "../deadlines.ts";
import { createCatalog } from "../catalog/repository.ts";

const FRESH_MS = 60_000;
/** A call waits no longer than this. No call is refused because the number is unknown. */
const DEADLINE_MS = 1_000;
const known = new WeakMap<D1Database, { size: number; at: number }>();

/**
 * Returns the number of active products, which some flow rules use. It is at most a minute old. If D1 does not answer, it is
 * the last known number, or 0, at which those rules are strictest.
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
