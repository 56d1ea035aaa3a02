// The Worker as it runs on this machine, whose bindings and clock can be broken: lab faults asks for that at /__faults.

import { withEnv } from "cloudflare:workers";
import * as z from "zod";
import {
  AuditIndex as Index,
  MetricsHub as Hub,
  ServerSetup as Setup,
  UserWindows as Caller,
} from "../../src/index.ts";
import local from "../../src/local/worker.ts";
import { type Place, aroundBindings, forgetBindings } from "../support/around-bindings.ts";

/** Milliseconds that a slow binding takes longer for each trip. */
const SLOW_MS = 300;
/** How often a hanging trip looks whether its binding works again. */
const LOOK_MS = 20;

const queryFields = z.object({
  binding: z.string().default(""),
  how: z.enum(["fails", "hangs", "slow", "loses"]).default("fails"),
  /** Milliseconds by which the clock is ahead. */
  clock: z.coerce.number().default(0),
  /** "yes": the product forgets what it has read of its bindings. */
  anew: z.enum(["yes"]).optional(),
  /** The caller whose alarm rings now. */
  ring: z.string().optional(),
  /** The caller whose object's size is answered. */
  size: z.string().optional(),
});
let fault = queryFields.parse({});

const now = Date.now.bind(Date);
Date.now = () => now() + fault.clock;

/** As Cloudflare words them. An object's error has flags, by which the product decides whether to ask again. */
const ERRORS: Record<Place["kind"], () => Error> = {
  d1: () => new Error("D1_ERROR: Network connection lost."),
  object: () => Object.assign(new Error("Network connection lost."), { remote: true, retryable: true }),
  kv: () => new Error("KV GET failed: 503 Service Unavailable"),
  other: () => new Error("Network connection lost."),
};

async function meet<T>({ name, kind }: Place, work: () => Promise<T>): Promise<T> {
  if (fault.binding !== name) return work();
  const { how } = fault;
  if (how === "slow") await scheduler.wait(SLOW_MS);
  if (how === "slow") return work();
  if (how === "loses") await work();
  if (how === "hangs") while (fault.binding === name) await scheduler.wait(LOOK_MS);
  throw ERRORS[kind]();
}

/** Analytics Engine takes a point without a trip that anybody waits for. */
const brokenEvents = {
  writeDataPoint() {
    throw ERRORS.other();
  },
};

const broken = <Bindings extends object>(env: Bindings): Bindings =>
  new Proxy(aroundBindings(env, meet), {
    get: (target, name) =>
      name === "EVENTS" && fault.binding === name ? brokenEvents : Reflect.get(target, name),
  });

export class UserWindows extends Caller {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, broken(env));
  }

  async ring(): Promise<void> {
    await this.ctx.storage.setAlarm(now());
  }

  /** Bytes of the object's storage. */
  size(): number {
    return this.ctx.storage.sql.databaseSize;
  }
}
export class AuditIndex extends Index {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, broken(env));
  }
}
export class MetricsHub extends Hub {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, broken(env));
  }
}
export class ServerSetup extends Setup {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, broken(env));
  }
}

interface Breakable extends Omit<Env, "USER_WINDOWS"> {
  USER_WINDOWS: DurableObjectNamespace<UserWindows>;
}

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/__faults") {
      const own = broken(env);
      const answer = await withEnv(own, () => local.fetch(request, own, ctx));
      if (!(answer instanceof Response)) throw new Error("The Worker answered no response.");
      return answer;
    }
    fault = queryFields.parse(Object.fromEntries(searchParams));
    if (fault.anew === "yes") forgetBindings();
    if (fault.ring !== undefined) await env.USER_WINDOWS.getByName(fault.ring).ring();
    const size = fault.size === undefined ? 0 : await env.USER_WINDOWS.getByName(fault.size).size();
    return Response.json({ size });
  },
} satisfies ExportedHandler<Breakable>;
