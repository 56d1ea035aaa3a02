import { addUser, createKey } from "../../src/identity/administration.ts";
import type { LocalServer } from "../../cli/local/server.ts";

/** Creates `count` callers with limits of their own; returns their keys. */
export async function addCallers(server: LocalServer, count: number): Promise<string[]> {
  const now = Date.now();
  const callers = Array.from({ length: count }, (_, index) => {
    const id = `bench-${index}`;
    return {
      user: addUser({ id, kind: "service", name: id, roles: ["shopper"] }, now),
      key: createKey({ user: id, label: "bench" }, now),
    };
  });
  await server.batch(callers.flatMap(({ user, key }) => [...user, key.statement]));
  return callers.map(({ key }) => key.secret);
}
