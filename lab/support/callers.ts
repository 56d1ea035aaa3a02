import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { LocalServer } from "../../cli/local/server.ts";
import { addUser, createKey } from "../../src/identity/administration.ts";

/** Creates a caller with limits of its own for each id; returns their keys. */
export async function addCallers(
  server: LocalServer,
  ids: readonly string[],
  role = "shopper",
): Promise<string[]> {
  const now = Date.now();
  const callers = ids.map((id) => ({
    user: addUser({ id, kind: "service", name: id, roles: [role] }, now),
    key: createKey({ user: id, label: "lab" }, now),
  }));
  await server.batch(callers.flatMap(({ user, key }) => [...user, key.statement]));
  return callers.map(({ key }) => key.secret);
}

/** Returns `count` different ids for callers that only measure. */
export const callerIds = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `bench-${index}`);

/** Connects an MCP client of the revision 2026-07-28. */
export async function connect(url: string, key: string): Promise<Client> {
  const client = new Client(
    { name: "product-catalog-mcp lab", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }));
  return client;
}

/** Returns the cookie of a new session. */
export async function signIn(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/sign-in`, {
    method: "POST",
    headers: { origin: url, "cf-connecting-ip": `2001:db8::${key.length}` },
    body: new URLSearchParams({ key }),
    redirect: "manual",
  });
  const [cookie = ""] = response.headers.getSetCookie();
  return cookie.split(";")[0] ?? "";
}
