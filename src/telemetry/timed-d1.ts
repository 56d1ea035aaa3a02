import type { Queries } from "../database/copies.ts";
import { aroundTrips } from "../database/around-trips.ts";
import { timed } from "./sink.ts";

/** Wraps a database so that single statements and batches are timed. */
export const timedD1 = <Database extends Queries>(db: Database): Database =>
  aroundTrips(db, (trip) => timed("d1", trip));
