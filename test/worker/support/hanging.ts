import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { sessionsByBinding } from "./sessions.ts";

export const BINDINGS = ["DB", "OAUTH_KV", "USER_WINDOWS", "METRICS_HUB"] as const;
export type Binding = (typeof BINDINGS)[number];
/** Read once per isolate at most, so no call waits for it. */
type RarelyRead = "SERVER_SETUP";

/** Each binding's error when it is out of reach, with text that nobody may read. */
const BROKEN: Record<Binding | RarelyRead, string> = {
  DB: "D1_ERROR: Network connection lost. SELECT PLANTED",
  OAUTH_KV: "KV GET failed: 503 Service Unavailable: PLANTED",
  USER_WINDOWS: "Network connection lost: PLANTED",
  METRICS_HUB: "Network connection lost: PLANTED",
  SERVER_SETUP: "Network connection lost: PLANTED",
};

/** Makes a binding hang or throw until the returned function is called; restore all mocks afterwards. */
export function breaks(binding: Binding | RarelyRead, how: "hangs" | "throws"): () => void {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const answer = () => (how === "hangs" ? promise : Promise.reject(new Error(BROKEN[binding])));
  const all = new Proxy({}, { get: (_, name) => (name === "then" ? undefined : answer) });
  if (binding === "DB") {
    sessionsByBinding();
    const statement: unknown = new Proxy(
      {},
      { get: (_, name) => (name === "bind" ? () => statement : answer) },
    );
    vi.spyOn(env.DB, "batch").mockImplementation(answer);
    vi.spyOn(env.DB, "prepare").mockImplementation(
      new Proxy(env.DB.prepare.bind(env.DB), { apply: () => statement }),
    );
  } else if (binding === "OAUTH_KV") {
    for (const method of ["get", "getWithMetadata", "put", "delete", "list"] as const)
      vi.spyOn(env.OAUTH_KV, method).mockImplementation(answer);
  } else {
    const namespace = env[binding];
    vi.spyOn(namespace, "getByName").mockImplementation(
      new Proxy(namespace.getByName.bind(namespace), { apply: () => all }),
    );
  }
  return () => reject(new Error("over"));
}

/** Delays every answer of the database; restore all mocks afterwards. */
export function lags(binding: "DB", ms: number): void {
  sessionsByBinding();
  const db = env[binding];
  const prepare = db.prepare.bind(db);
  const late = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name) {
        if (name === "bind") return (...values: unknown[]) => late(target.bind(...values));
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...given: unknown[]) => {
          await scheduler.wait(ms);
          return Reflect.apply(value, target, given);
        };
      },
    });
  vi.spyOn(db, "prepare").mockImplementation((sql) => late(prepare(sql)));
  vi.spyOn(db, "batch").mockImplementation(async () => {
    await scheduler.wait(ms);
    throw new Error("No batch is expected in time.");
  });
}
