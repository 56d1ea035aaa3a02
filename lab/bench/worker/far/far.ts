// Makes a Worker's databases, objects and namespaces far away: each trip to one takes some milliseconds more.

import { aroundBindings } from "../../../support/around-bindings.ts";

const KINDS = ["d1", "object", "kv"] as const;
type Kind = (typeof KINDS)[number];

/** Milliseconds of a trip there and back. */
const delays: Record<Kind, number> = { d1: 0, object: 0, kv: 0 };

/** Sets the delays if the request asks for that; returns undefined for every other request. */
export function setDelays({ url }: Request): Response | undefined {
  const { pathname, searchParams } = new URL(url);
  if (pathname !== "/bench-delays") return undefined;
  for (const kind of KINDS) delays[kind] = Number(searchParams.get(kind) ?? 0);
  return new Response(JSON.stringify(delays));
}

async function trip<T>(kind: Kind, work: () => Promise<T>): Promise<T> {
  const half = delays[kind] / 2;
  if (half > 0) await scheduler.wait(half);
  try {
    return await work();
  } finally {
    if (half > 0) await scheduler.wait(half);
  }
}

/** Returns a Worker's bindings, each of which is far away. */
export const farEnv = (env: object): object =>
  aroundBindings(env, ({ kind }, work) => (kind === "other" ? work() : trip(kind, work)));
