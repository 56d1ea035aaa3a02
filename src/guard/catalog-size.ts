import { waitUntil } from "cloudflare:workers";
import { type Deadline, within } from "../deadlines.ts";
import { createCatalog } from "../catalog/repository.ts";

const FRESH_MS = 60_000;
/** A call waits no longer than this. No call is refused because the number is unknown. */
const DEADLINE_MS = 1_000;
const known = new WeakMap<D1Database, { size: number; at: number }>();

/**
 * Returns the number of active products, which some flow rules use. Only an isolate's first call waits for it. A number that
 * is a minute old is read again beside the call, and used until then. If D1 has never answered, it is 0, at which those rules
 * are strictest.
 */
export async function catalogSize(db: D1Database, now: number, deadline?: Deadline): Promise<number> {
  const last = known.get(db);
  if (last !== undefined && Math.abs(now - last.at) < FRESH_MS) return last.size;
  const reading = readCatalogSize(db, now, deadline);
  if (last === undefined) return reading;
  // The calls of the next second do not ask as well.
  known.set(db, { size: last.size, at: now - FRESH_MS + DEADLINE_MS });
  waitUntil(reading);
  return last.size;
}

/** Reads the number now, and keeps it for the calls that follow. */
export async function readCatalogSize(db: D1Database, now: number, deadline?: Deadline): Promise<number> {
  const overview = () => createCatalog(db).overview();
  try {
    const { activeProducts: size } = await (deadline === undefined
      ? within(DEADLINE_MS, overview)
      : deadline.within(DEADLINE_MS, overview));
    known.set(db, { size, at: now });
    return size;
  } catch {
    return known.get(db)?.size ?? 0;
  }
}
