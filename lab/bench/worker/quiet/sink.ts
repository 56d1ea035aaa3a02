// Stands in for what tells of calls (wrangler.toml): src/telemetry/sink.ts, and the wrappers that feed it.

import type { Guard } from "../../../../src/guard/guarded-call.ts";

export const requestRefused = (): void => {};
export const flushNow = async (): Promise<boolean> => true;
export const timed = <T>(_what: string, work: () => Promise<T>): Promise<T> => work();
export const timedD1 = (db: D1Database): D1Database => db;
export const recorded = (guard: Guard): Guard => guard;
