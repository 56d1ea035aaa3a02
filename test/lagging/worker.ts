// The local Worker with a database that lags for requests that ask for it, so that a test can disconnect
// during a call.

import type { Queries } from "../../src/database/copies.ts";
import local from "../../src/local/worker.ts";

export * from "../../src/local/worker.ts";

/** Header with the milliseconds that each statement of this request takes, batches excepted. */
const LAG_HEADER = "x-lag-ms";

export default {
  fetch(request, env, ctx) {
    const ms = Number(request.headers.get(LAG_HEADER) ?? 0);
    return local.fetch(request, ms > 0 ? { ...env, DB: lagging(env.DB, ms) } : env, ctx);
  },
} satisfies ExportedHandler<Env>;

function lagging<Database extends Queries>(db: Database, ms: number): Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => laggingStatement(target.prepare(sql), ms);
      if (name === "batch")
        return (statements: D1PreparedStatement[]) =>
          target.batch(statements.map((each) => given.get(each) ?? each));
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "withSession") return value.bind(target);
      return (start: string) => lagging(Reflect.apply(value, target, [start]), ms);
    },
  });
}

const given = new WeakMap<D1PreparedStatement, D1PreparedStatement>();

function laggingStatement(statement: D1PreparedStatement, ms: number): D1PreparedStatement {
  const lags = new Proxy(statement, {
    get(target, name) {
      if (name === "bind") return (...values: unknown[]) => laggingStatement(target.bind(...values), ms);
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...values: unknown[]) => {
        await scheduler.wait(ms);
        return Reflect.apply(value, target, values);
      };
    },
  });
  given.set(lags, statement);
  return lags;
}
