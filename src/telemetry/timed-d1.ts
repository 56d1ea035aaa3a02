import { timed } from "./sink.ts";

/** Wraps a database so that single statements and batches are timed. */
export function timedD1(db: D1Database): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => timedStatement(target.prepare(sql));
      if (name === "batch")
        return (statements: D1PreparedStatement[]) => timed("d1", () => target.batch(statements));
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const RUN = new Set<PropertyKey>(["first", "all", "run", "raw"]);

function timedStatement(statement: D1PreparedStatement): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, name) {
      if (name === "bind") return (...values: unknown[]) => timedStatement(target.bind(...values));
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return RUN.has(name)
        ? (...given: unknown[]) => timed("d1", async () => Reflect.apply(value, target, given))
        : value.bind(target);
    },
  });
}
