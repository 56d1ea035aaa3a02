// Makes a Worker's databases, objects and namespaces far away: each trip to one takes some milliseconds more.

import { aroundTrips } from "../../../../src/database/around-trips.ts";

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

// The product keeps what it knows by binding, so a binding must stay the same object.
const wrapped = new WeakMap<object, unknown>();

/** Returns a Worker's bindings, each of which is far away. */
export const farEnv = (env: object): object =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "object" && value !== null ? farBinding(value) : value,
    ]),
  );

function farBinding(binding: object): unknown {
  const known = wrapped.get(binding) ?? wrap(binding);
  wrapped.set(binding, known);
  return known;
}

function wrap(binding: object): unknown {
  if (isDatabase(binding)) return farDatabase(binding);
  if ("getWithMetadata" in binding) return farMethods(binding, "kv");
  if ("idFromName" in binding) return farNamespace(binding);
  return binding;
}

const isDatabase = (binding: object): binding is D1Database => "prepare" in binding && "batch" in binding;

const d1Trip = <T>(work: () => Promise<T>): Promise<T> => trip("d1", work);

/** Delays the queries of sessions too. */
const farDatabase = (database: D1Database): D1Database =>
  new Proxy(aroundTrips(database, d1Trip), {
    get(far, name) {
      if (name !== "withSession") return Reflect.get(far, name);
      return (start: string) => aroundTrips(database.withSession(start), d1Trip);
    },
  });

const farNamespace = <T extends object>(namespace: T): T =>
  new Proxy(namespace, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "get" && name !== "getByName") return value.bind(target);
      return (...given: unknown[]) => farMethods(Reflect.apply(value, target, given), "object");
    },
  });

/** Delays every method. */
const farMethods = <T extends object>(target: T, kind: Kind): T =>
  new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => trip(kind, async () => Reflect.apply(value, target, given));
    },
  });
