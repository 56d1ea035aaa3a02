import type { Queries } from "./copies.ts";

/** Runs one trip to the database; may do something before and after it. */
type AroundTrip = <T>(trip: () => Promise<T>) => Promise<T>;

/** Wraps a database so that each trip to it, of a single statement or of a batch, runs inside `around`. */
export function aroundTrips<Database extends Queries>(db: Database, around: AroundTrip): Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => wrapStatement(target.prepare(sql), around);
      if (name === "batch")
        return (statements: D1PreparedStatement[]) => around(() => target.batch(statements));
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const RUN = new Set<PropertyKey>(["first", "all", "run", "raw"]);

function wrapStatement(statement: D1PreparedStatement, around: AroundTrip): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, name) {
      if (name === "bind") return (...values: unknown[]) => wrapStatement(target.bind(...values), around);
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return RUN.has(name)
        ? (...given: unknown[]) => around(async () => Reflect.apply(value, target, given))
        : value.bind(target);
    },
  });
}
