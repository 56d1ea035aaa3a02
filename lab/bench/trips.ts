import { cp, rm } from "node:fs/promises";
import { median } from "../support/figures.ts";
import { NO_DELAY, setDelays } from "./far-entry.ts";
import { Connections, type LoadRequest } from "./load.ts";
import type { Plan } from "./measure.ts";
import { type Runtime, run } from "./runtime.ts";
import { type Variant, type VariantName, variants } from "./variants.ts";

/** Milliseconds of each trip while trips are counted: far more than the rest of a call takes. */
const TRIP_MS = 100;
const FAR = { d1: TRIP_MS, object: TRIP_MS, kv: TRIP_MS };
const CALLS = 11;
/** Callers that take turns, so that all of them are known after some calls. */
const CALLERS = 3;

export type Trips = ReadonlyMap<VariantName, number>;

/**
 * Counts the trips to databases, objects and namespaces that a call makes one after the other: the time that a call takes
 * longer if each trip does, divided by that delay. Trips beside each other, or after the answer, do not count.
 */
export async function countTrips(
  plan: Pick<Plan, "seeded" | "folder" | "bundles" | "keys" | "measured" | "newQueries" | "onProgress">,
): Promise<Trips> {
  const trips = new Map<VariantName, number>();
  const { callers, support, fresh } = plan.keys;
  const keys = { callers: callers.slice(0, CALLERS), support: support.slice(0, CALLERS), fresh };
  for (const [build, bundle] of plan.bundles) {
    await rm(plan.folder, { recursive: true, force: true });
    await cp(plan.seeded, plan.folder, { recursive: true });
    const runtime = await run(bundle, plan.folder, { isFar: true });
    try {
      for (const name of plan.measured.keys()) {
        const variant = variants[name];
        if (variant.build !== build) continue;
        plan.onProgress(`counting the trips of ${name}`);
        trips.set(name, await tripsOf(variant, runtime, { ...plan, keys }));
      }
    } finally {
      await runtime.close();
    }
  }
  return trips;
}

async function tripsOf(
  variant: Variant,
  { url }: Runtime,
  { keys, newQueries }: Pick<Plan, "keys" | "newQueries">,
): Promise<number> {
  const one = new Connections(1);
  try {
    const newRequest = await variant.prepare(url, one, keys);
    const queries = newQueries();
    let index = 0;
    const next = (): LoadRequest => newRequest(queries.next().value, index++);
    const time = async () => median((await one.load(url, next, { calls: CALLS })).times);
    // The first calls make the objects, and optimise the code.
    for (let made = 0; made < CALLERS; made++) await time();
    const near = await time();
    await setDelays(url, FAR);
    const far = await time();
    await setDelays(url, NO_DELAY);
    return Math.max(0, Math.round((10 * (far - near)) / TRIP_MS) / 10);
  } finally {
    one.close();
  }
}
