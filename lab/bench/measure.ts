import { cp } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../eval/ndcg.ts";
import { Connections } from "./load.ts";
import { type Bundle, type Runtime, run } from "./runtime.ts";
import { type Variant, type VariantName, variants } from "./variants.ts";

const PARALLEL = 16;
/**
 * An isolate serves for hours and gets faster over its first thousands of calls: V8 optimises the hot code,
 * and product tokens are cached. After this many calls the time of a call falls no further.
 */
export const WARM_UP_CALLS = 6_000;

/** One variant's numbers, one per round. */
export interface Series {
  /** Answers per second at PARALLEL connections. */
  rps: number[];
  /** Median milliseconds at one connection. */
  p50: number[];
  /** Milliseconds of workerd's processor time per answer at PARALLEL connections. */
  cpu: number[];
}
export type Measured = Record<VariantName, Series>;

export interface Plan {
  /**
   * Folder filled by seed(). It is copied for every Worker, because two runtimes on one folder disturb each
   * other.
   */
  seeded: string;
  /** An empty folder to copy it into. */
  folder: string;
  bundles: ReadonlyMap<string, Bundle>;
  keys: readonly string[];
  rounds: number;
  /** Seconds of load per variant and round; half as long at one connection. */
  seconds: number;
  /** Calls to each variant before the first round; they are not timed. */
  warmUp: number;
  /** Starts a stream of queries; every variant gets its own, all with equal contents. */
  newQueries: () => Iterator<string, never>;
  /** Variants that are measured. */
  only: readonly VariantName[];
  onProgress: (text: string) => void;
}

/**
 * Measures all variants in turns, a slice each, in a rotating order: a busy moment of the machine affects all
 * of them, and compared values were measured seconds apart. During a turn the other variants are stopped. A
 * turn begins with an untimed call of every principal: workerd drops an object after ten idle seconds, which
 * never happens under steady load but always during the others' turns.
 */
export async function measure(plan: Plan): Promise<Measured> {
  const runtimes = new Map<string, Runtime>();
  const measured = byVariant((): Series => ({ rps: [], p50: [], cpu: [] }));
  try {
    for (const [config, bundle] of plan.bundles) {
      const state = join(plan.folder, String(runtimes.size));
      await cp(plan.seeded, state, { recursive: true });
      const runtime = await run(bundle, state);
      runtimes.set(config, runtime);
      runtime.pause();
    }
    const slices = [];
    for (const name of plan.only) {
      const variant = variants[name];
      const runtime = runtimes.get(variant.config);
      if (runtime === undefined) throw new Error(`${variant.config} was not bundled.`);
      plan.onProgress(`warming up ${name}`);
      const next = await takeTurn(runtime, async (many) => {
        const calls = await prepareCalls(variant, runtime.url, plan, many);
        await many.load(runtime.url, calls, { calls: plan.warmUp });
        return calls;
      });
      slices.push({ name, runtime, next });
    }
    for (let round = 0; round < plan.rounds; round++) {
      plan.onProgress(`round ${round + 1} of ${plan.rounds}`);
      const turn = round % slices.length;
      for (const { name, runtime, next } of [...slices.slice(turn), ...slices.slice(0, turn)]) {
        await takeTurn(runtime, async (many, one) => {
          await many.load(runtime.url, next, { calls: plan.keys.length });
          const before = runtime.cpuMs();
          const { rps, times } = await many.load(runtime.url, next, { ms: plan.seconds * 1000 });
          const cpu = (runtime.cpuMs() - before) / times.length;
          const { times: alone } = await one.load(runtime.url, next, { ms: plan.seconds * 500 });
          measured[name].rps.push(rps);
          measured[name].p50.push(median(alone));
          measured[name].cpu.push(cpu);
        });
      }
    }
    return measured;
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

/**
 * Joins the rounds of all starts: the memory layout of a process makes it faster or slower for as long as it
 * runs.
 */
export function joined(runs: readonly Measured[]): Measured {
  return byVariant((name) => ({
    rps: runs.flatMap((each) => each[name].rps),
    p50: runs.flatMap((each) => each[name].p50),
    cpu: runs.flatMap((each) => each[name].cpu),
  }));
}

async function prepareCalls(
  variant: Variant,
  url: string,
  { keys, newQueries }: Plan,
  connections: Connections,
) {
  const newRequest = await variant.prepare(url, connections, keys);
  const queries = newQueries();
  let index = 0;
  return () => newRequest(() => queries.next().value, index++);
}

function byVariant<T>(make: (name: VariantName) => T): Record<VariantName, T> {
  return {
    hello: make("hello"),
    route: make("route"),
    unguarded: make("unguarded"),
    quiet: make("quiet"),
    sdk: make("sdk"),
    full: make("full"),
    mcpagent: make("mcpagent"),
  };
}
