import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { blobs } from "../../../src/telemetry/points.ts";
import { answers, post, search, send } from "../identity/support/deployed.ts";
import { keyOf, newKey, newUser } from "../identity/support/people.ts";
import { signedIn } from "../identity/support/browser.ts";
import { recordsOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { CANARY, fillDesk } from "../support/desk.ts";
import { modern } from "../support/modern.ts";
import { listen } from "./support.ts";

// A request has one name, and every trace of the request can be found by it.

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
});
afterEach(() => vi.restoreAllMocks());

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NAME_BLOB = blobs.findIndex(({ name }) => name === "correlation_id");
const nameOf = (response: Response): string => response.headers.get("x-request-id") ?? "";

async function caller(roles = ["shopper"]) {
  const user = await newUser(roles);
  return {
    headers: { authorization: `Bearer ${(await newKey(user)).secret}` },
    attempts: async () => {
      const records = await recordsOf(env.USER_WINDOWS.getByName(user));
      return records.filter((record) => record.kind === "attempt").map((record) => record.correlation_id);
    },
    incidents: async () => {
      const rows = await env.DB.prepare("SELECT id, correlation_id FROM incidents WHERE principal = ?")
        .bind(user)
        .all();
      return z.array(z.object({ id: z.string(), correlation_id: z.string() })).parse(rows.results);
    },
  };
}

const rpc = (id: number, method: string, params: Record<string, unknown> = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
const tool = (id: number, name: string, args: object) => rpc(id, "tools/call", { name, arguments: args });

describe("the X-Request-Id of a single call", () => {
  it.each([
    ["the 2025 revisions", async (headers: Record<string, string>) => post(search(), headers)],
    [
      "2026-07-28",
      async (headers: Record<string, string>) => {
        const sent = modern("tools/call", { name: "search_products", arguments: { query: "keyboard" } });
        return post(sent.body, { ...headers, ...sent.headers });
      },
    ],
  ])("on %s is in its log lines, its audit record and its Analytics point", async (_, ask) => {
    const { headers, attempts } = await caller();
    const { lines, points, until } = listen();
    const response = await ask(headers);
    const name = nameOf(response);
    expect(name).toMatch(UUID);
    await answers(response);
    await until("tool_invocation_completed");
    expect(lines().map((line) => line["correlation_id"])).toEqual([name, name]);
    expect(points().map((point) => point?.blobs?.[NAME_BLOB])).toEqual([name]);
    expect(await attempts()).toEqual([name]);
  });

  it.each([
    ["of a tool", tool(1, "get_product", { sku: "SKU-nowhere" })],
    ["of an unknown tool", tool(1, "nothing", {})],
    ["of a resource", rpc(1, "resources/read", { uri: "catalog://nowhere" })],
    ["of a prompt", rpc(1, "prompts/get", { name: "nothing" })],
    [
      "of a completion",
      rpc(1, "completion/complete", {
        ref: { type: "ref/prompt", name: "x" },
        argument: { name: "x", value: "" },
      }),
    ],
    ["of an unknown method", rpc(1, "initialize", {})],
    ["of a missing scope", tool(1, "get_customer", { customer_id: "C-10001" })],
  ])("is in the refusal %s", async (_, message) => {
    const { headers } = await caller();
    listen();
    const response = await post(message, headers);
    const name = nameOf(response);
    expect(name).toMatch(UUID);
    const said = await response.text();
    expect(said.match(/"correlationId":"[^"]*"/g)).toEqual([`"correlationId":"${name}"`]);
  });

  it("is in the incident that the call set off, and on the dashboard's page of it", async () => {
    const { headers, incidents } = await caller(["support"]);
    const admin = await signedIn(await keyOf(["admin"]));
    listen();
    const name = nameOf(await post(tool(1, "get_customer", { customer_id: CANARY.customer }), headers));
    const [incident] = await vi.waitUntil(
      async () => {
        const found = await incidents();
        return found.length > 0 && found;
      },
      { timeout: 10_000 },
    );
    expect(incident?.correlation_id).toBe(name);
    const page = await (await admin.request(`/admin/incidents/${incident?.id}`)).text();
    expect(page.split(name).length - 1).toBeGreaterThanOrEqual(2);
  });

  it("never comes from the client", async () => {
    const { headers, attempts } = await caller();
    const { lines, until } = listen();
    const response = await post(search(), { ...headers, "x-request-id": "chosen-by-the-client" });
    await answers(response);
    await until("tool_invocation_completed");
    expect(nameOf(response)).toMatch(UUID);
    expect(JSON.stringify([lines(), await attempts()])).not.toContain("chosen-by-the-client");
  });
});

describe("the X-Request-Id of the admin API", () => {
  const newPerson = (id: unknown) => ({
    method: "POST",
    body: JSON.stringify({ id, name: "A Person", roles: ["shopper"] }),
  });
  it.each([
    { what: "without a key", code: "unauthenticated" },
    { what: "of a shopper", role: "shopper", code: "permission_denied" },
    { what: "with wrong arguments", role: "admin", id: 7, code: "invalid_arguments" },
    { what: "of an id that is taken", role: "admin", id: "taken", code: "conflict" },
    { what: "of what is not there", role: "admin", path: "/keys/nowhere/revoke", code: "not_found" },
  ])("is in the one log line and the point of a refusal $what", async (refused) => {
    const { role, path = "/users", id, code } = refused;
    const key = role === undefined ? undefined : await keyOf([role]);
    const sent = newPerson(id === "taken" ? await newUser() : id);
    const { lines, points } = listen();
    const headers = {
      "content-type": "application/json",
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    };
    const name = nameOf(await send(`/admin/api${path}`, { ...sent, headers }));
    expect(lines()).toMatchObject([{ event: "request_refused", code, correlation_id: name }]);
    expect(points().map((point) => point?.blobs?.[NAME_BLOB])).toEqual([name]);
  });

  it("is in the one log line of a change that was made, which is no refusal", async () => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${await keyOf(["admin"])}` };
    const { lines, until } = listen();
    const sent = newPerson(`user-${crypto.randomUUID()}`);
    const response = await send("/admin/api/users", { ...sent, headers });
    expect(response.status).toBe(201);
    await until("request_counted");
    expect(lines()).toMatchObject([
      { event: "request_counted", target: "admin.users.add", correlation_id: nameOf(response) },
    ]);
  });
});

describe("in a batch", () => {
  it("each message has the request's name and its own index, wherever it appears", async () => {
    const { headers, attempts } = await caller();
    const { lines, named, points } = listen();
    const batch = [
      rpc(10, "server/discover"),
      tool(11, "get_product", { sku: "SKU-10001" }),
      { jsonrpc: "2.0", method: "notifications/initialized" },
      tool(12, "get_product", { sku: "SKU-nowhere" }),
      rpc(13, "tools/list"),
      rpc(14, "resources/read", { uri: "catalog://nowhere" }),
    ];
    const response = await post(batch, headers);
    const name = nameOf(response);
    const said = await response.text();
    await vi.waitUntil(() => named("tool_invocation_completed").length === 1, { timeout: 5_000 });
    await vi.waitUntil(() => points().length === 5, { timeout: 5_000 });

    const places = [1, 2, 4, 5, 6].map((place) => `${name}/${place}`);
    expect(new Set(points().map((point) => point?.blobs?.[NAME_BLOB]))).toEqual(new Set(places));
    expect(new Set(await attempts())).toEqual(new Set(places));
    expect(await attempts()).toHaveLength(5);
    const told = lines().flatMap((line) => (line.event === "protocol_error" ? [] : [line["correlation_id"]]));
    expect(new Set(told)).toEqual(new Set(places));
    const refused = [...said.matchAll(/"correlationId":"([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(refused)).toEqual(new Set([`${name}/4`, `${name}/6`]));
  });

  it("a single message has no index", async () => {
    const { headers, attempts } = await caller();
    listen();
    const response = await post([search()], headers);
    await answers(response);
    expect(await attempts()).toEqual([nameOf(response)]);
  });
});

it.each(["/healthz", "/readyz", "/", "/sign-in", "/nowhere", "/metrics", "/oauth/nowhere", "/mcp", "/admin"])(
  "%s answers with a new name",
  async (path) => {
    listen();
    const names = [nameOf(await send(path)), nameOf(await send(path))];
    for (const name of names) expect(name).toMatch(UUID);
    expect(new Set(names).size).toBe(2);
  },
);
