import { cp } from "node:fs/promises";
import { join } from "node:path";
import { median, quantile } from "../support/figures.ts";
import { type Delays, setDelays } from "./far-entry.ts";
import { Connections } from "./load.ts";
import { type Build, type Bundle, type Runtime, run } from "./runtime.ts";
import { type VariantName, variants } from "./variants.ts";
import type { Keys } from "./workload.ts";

const PARALLEL = 16;
/**
 * An isolate serves for hours and gets faster over its first thousands of calls: V8 optimises the hot code,
 * and product tokens are cached. After this many calls the time of a call falls no further.
 */
export const WARM_UP_CALLS = 6_000;

/** One round of one variant. */
export interface Round {
  /** Answers per second at PARALLEL connections; at one for a variant that is measured alone. */
  rps: number;
  /** Milliseconds at one connection that half of the calls take at most, and 95 %. */
  p50: number;
  p95: number;
  /** Milliseconds of workerd's processor time per answer. */
  cpu: number;
}
export type Measured = Map<VariantName, Round[]>;

export interface Plan {
  /**
   * Folder filled by seed(). It is copied for every Worker, because two runtimes on one folder disturb each
   * other.
   */
  seeded: string;
  /** An empty folder to copy it into. */
  folder: string;
  bundles: ReadonlyMap<Build, Bundle>;
  keys: Keys;
  /** How far away everything is; undefined for here. */
  delays?: Delays | undefined;
  rounds: number;
  /** Seconds of load per variant and round; half as long at one connection. */
  seconds: number;
  /** Calls to each variant before the first round; they are not timed. */
  warmUp: number;
  /** Starts a stream of queries; every variant gets its own, all with equal contents. */
  newQueries: () => Iterator<string, never>;
  /** Rounds are added to its entries, which name the variants to measure. */
  measured: Measured;
  onProgress: (text: string) => void;
}

/**
 * Measures all variants in turns, a slice each, in a rotating order: a busy moment of the machine affects all
 * of them, and compared values were measured seconds apart. During a turn the other variants are stopped. A
 * turn begins with an untimed call of every principal: workerd drops an object after ten idle seconds, which
 * never happens under steady load but always during the others' turns.
 */
export async function measure(plan: Plan): Promise<void> {
  const { seconds, measured, keys, delays } = plan;
  const runtimes = new Map<Build, Runtime>();
  try {
    for (const [build, bundle] of plan.bundles) {
      const state = join(plan.folder, String(runtimes.size));
      await cp(plan.seeded, state, { recursive: true });
      const runtime = await run(bundle, state, { isFar: delays !== undefined });
      runtimes.set(build, runtime);
      runtime.pause();
    }
    const slices = [];
    for (const [name, rounds] of measured) {
      const variant = variants[name];
      const runtime = runtimes.get(variant.build);
      if (runtime === undefined) throw new Error(`${name} was not bundled.`);
      plan.onProgress(`warming up ${name}`);
      const queries = plan.newQueries();
      const next = await takeTurn(runtime, async (many) => {
        const newRequest = await variant.prepare(runtime.url, many, keys);
        let index = 0;
        const nextRequest = () => newRequest(queries.next().value, index++);
        if (variant.alone === undefined) await many.load(runtime.url, nextRequest, { calls: plan.warmUp });
        return nextRequest;
      });
      slices.push({ rounds, runtime, next, alone: variant.alone });
    }
    for (const [index, runtime] of [...runtimes.values()].entries()) {
      if (delays === undefined) continue;
      plan.onProgress(`moving Worker ${index + 1} of ${runtimes.size} away`);
      await takeTurn(runtime, () => setDelays(runtime.url, delays));
    }
    for (let round = 0; round < plan.rounds; round++) {
      plan.onProgress(`round ${round + 1} of ${plan.rounds}`);
      const turn = round % slices.length;
      for (const { rounds, runtime, next, alone } of [...slices.slice(turn), ...slices.slice(0, turn)]) {
        await takeTurn(runtime, async (many, one) => {
          await many.load(runtime.url, next, { calls: alone ?? keys.callers.length });
          const before = runtime.cpuMs();
          const load = await (alone === undefined ? many : one).load(runtime.url, next, {
            ms: seconds * 1000,
          });
          const cpu = (runtime.cpuMs() - before) / load.times.length;
          const { times } =
            alone === undefined ? await one.load(runtime.url, next, { ms: seconds * 500 }) : load;
          rounds.push({ rps: load.rps, p50: median(times), p95: quantile(times, 0.95), cpu });
        });
      }
    }
  } finally {
    for (const runtime of runtimes.values()) {
      runtime.resume();
      await runtime.close();
    }
  }
}

/** Uses new connections, because those of a stopped runtime have timed out. */
async function takeTurn<T>(
  runtime: Runtime,
  work: (many: Connections, one: Connections) => Promise<T>,
): Promise<T> {
  const many = new Connections(PARALLEL);
  const one = new Connections(1);
  runtime.resume();
  try {
    return await work(many, one);
  } finally {
    many.close();
    one.close();
    runtime.pause();
  }
}
