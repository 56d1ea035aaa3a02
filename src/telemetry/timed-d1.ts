import { aroundTrips } from "../database/around-trips.ts";
import { timed } from "./sink.ts";

/** Wraps a database so that single statements and batches are timed. */
export const timedD1 = (db: D1Database): D1Database => aroundTrips(db, (trip) => timed("d1", trip));
