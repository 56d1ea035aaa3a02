// Runs inside a Worker: does something around every trip to a binding.

import { aroundTrips } from "../../src/database/around-trips.ts";

/** The binding that a trip goes to. `other`: assets. */
export interface Place {
  name: string;
  kind: "d1" | "object" | "kv" | "other";
}
type Around = <T>(place: Place, work: () => Promise<T>) => Promise<T>;

// The product keeps what it knows by binding, so a binding must stay the same object.
let wrapped = new WeakMap<object, unknown>();

/** Gives each binding anew, so that the product knows as little as in a new isolate. */
export const forgetBindings = (): void => {
  wrapped = new WeakMap();
};

/** Returns a Worker's bindings, with each trip to one inside `around`. One isolate must always give the same function. */
export const aroundBindings = <Bindings extends object>(env: Bindings, around: Around): Bindings =>
  new Proxy(
    { ...env },
    {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "object" || value === null) return value;
        const known = wrapped.get(value) ?? wrap(String(name), value, around);
        wrapped.set(value, known);
        return known;
      },
    },
  );

function wrap(name: string, binding: object, around: Around): unknown {
  // A service seems to have every property, because each may be a method of the other side.
  if ("fetch" in binding) return aroundMethods(binding, (work) => around({ name, kind: "other" }, work));
  if (isDatabase(binding)) return aroundDatabase(binding, (work) => around({ name, kind: "d1" }, work));
  if ("getWithMetadata" in binding)
    return aroundMethods(binding, (work) => around({ name, kind: "kv" }, work));
  if ("idFromName" in binding)
    return aroundNamespace(binding, (work) => around({ name, kind: "object" }, work));
  return binding;
}

type Trip = <T>(work: () => Promise<T>) => Promise<T>;

const isDatabase = (binding: object): binding is D1Database => "prepare" in binding && "batch" in binding;

/** The queries of sessions are trips too. */
const aroundDatabase = (database: D1Database, trip: Trip): D1Database =>
  new Proxy(aroundTrips(database, trip), {
    get(target, name) {
      if (name !== "withSession") return Reflect.get(target, name);
      return (start: string) => aroundTrips(database.withSession(start), trip);
    },
  });

const aroundNamespace = <T extends object>(namespace: T, trip: Trip): T =>
  new Proxy(namespace, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "get" && name !== "getByName") return value.bind(target);
      return (...given: unknown[]) => aroundMethods(Reflect.apply(value, target, given), trip);
    },
  });

const aroundMethods = <T extends object>(target: T, trip: Trip): T =>
  new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => trip(async () => Reflect.apply(value, target, given));
    },
  });
