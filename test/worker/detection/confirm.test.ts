import { env } from "cloudflare:workers";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { mayDecide } from "../../../src/identity/who-may.ts";
import { signedIn } from "../identity/support/browser.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { call, post, send } from "../support/clients.ts";
import { ADA, INJECTED, ask, deskSample, fillDesk } from "../support/desk.ts";

beforeAll(() => fillDesk());

type Modes = { form?: Record<string, never>; url?: Record<string, never> };
type Answer = { action: "accept" | "decline" | "cancel"; content?: Record<string, boolean> };

/** The official client of an agent on 2026-07-28, whose user answers as given. */
async function agent({ modes, answer }: { modes?: Modes; answer?: Answer } = {}) {
  const user = await newUser(["support"]);
  const { secret } = await newKey(user);
  const as = { authorization: `Bearer ${secret}` };
  const asked: unknown[] = [];
  const client = new Client(
    { name: "test", version: "1" },
    {
      versionNegotiation: { mode: { pin: "2026-07-28" } },
      capabilities: modes === undefined ? {} : { elicitation: modes },
    },
  );
  if (modes !== undefined) {
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      asked.push(params);
      return answer ?? { action: "cancel" };
    });
  }
  const transport = new StreamableHTTPClientTransport(new URL("http://127.0.0.1/mcp"), {
    fetch: (url, init) => send(url.toString(), init),
    requestInit: { headers: as },
  });
  await client.connect(transport);
  return { user, as, client, asked, secret };
}

let tickets = 5_000;
/** Creates an injected ticket, and an open one of the same customer to be closed. */
async function newTickets(): Promise<{ bad: string; open: string }> {
  tickets += 100;
  const [, bad] = deskSample.tickets;
  const [plain] = deskSample.tickets;
  if (bad === undefined || plain === undefined) throw new Error("no tickets");
  await fillDesk({
    customers: [],
    orders: [],
    tickets: [
      { ...bad, id: tickets },
      { ...plain, id: tickets + 1 },
    ],
  });
  return { bad: `T-${tickets}`, open: `T-${tickets + 1}` };
}
const status = async (ticket: string) =>
  z.object({ status: z.string() }).parse(
    await env.DB.prepare("SELECT status FROM tickets WHERE id = ?")
      .bind(Number(ticket.slice(2)))
      .first(),
  ).status;
const closing = (ticket: string) => ({ ticket_id: ticket, resolution: "Done" });
const refusalOf = (result: { _meta?: Record<string, unknown> | undefined }) =>
  result._meta?.["product-catalog-mcp/refusal"];

describe("a write after text that reads like an instruction", () => {
  it("runs if the user says so in the client's form", async () => {
    const { client, asked } = await agent({
      modes: { form: {} },
      answer: { action: "accept", content: { confirm: true } },
    });
    const { bad, open } = await newTickets();
    await client.callTool({ name: "get_ticket", arguments: { ticket_id: bad } });
    const result = await client.callTool({ name: "close_ticket", arguments: closing(open) });
    expect(result.isError ?? false).toBe(false);
    expect(asked).toMatchObject([{ mode: "form", message: expect.stringContaining("close_ticket") }]);
    expect(await status(open)).toBe("closed");
  });

  it.each<[string, Answer]>([
    ["declines", { action: "decline" }],
    ["cancels", { action: "cancel" }],
    ["leaves the box empty", { action: "accept", content: { confirm: false } }],
  ])("does not run where the person %s, who is asked once", async (_, answer) => {
    const { client, asked } = await agent({ modes: { form: {} }, answer });
    const { bad, open } = await newTickets();
    await client.callTool({ name: "get_ticket", arguments: { ticket_id: bad } });
    const result = await client.callTool({ name: "close_ticket", arguments: closing(open) });
    expect(refusalOf(result)).toMatchObject({ code: "confirmation_required" });
    expect(asked).toHaveLength(1);
    expect(await status(open)).toBe("open");
  });

  it("returns a link if the client shows only links, and text if it shows neither", async () => {
    const links = await agent({ modes: { url: {} } });
    const { bad, open } = await newTickets();
    await links.client.callTool({ name: "get_ticket", arguments: { ticket_id: bad } });
    await links.client.callTool({ name: "close_ticket", arguments: closing(open) });
    expect(links.asked).toMatchObject([{ mode: "url", url: expect.stringMatching(/\/confirm\/[\w-]{22}$/) }]);

    const silent = await agent();
    await silent.client.callTool({ name: "get_ticket", arguments: { ticket_id: bad } });
    const result = await silent.client.callTool({ name: "close_ticket", arguments: closing(open) });
    expect(refusalOf(result)).toMatchObject({ code: "confirmation_required" });
    expect(await status(open)).toBe("open");
  });

  it("runs without a question after harmless text", async () => {
    const { client, asked } = await agent({ modes: { form: {} } });
    const { open } = await newTickets();
    await client.callTool({ name: "get_ticket", arguments: { ticket_id: open } });
    await client.callTool({ name: "close_ticket", arguments: closing(open) });
    expect(asked).toEqual([]);
    expect(await status(open)).toBe("closed");
  });
});

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
};
const accepted = { confirm: { action: "accept", content: { confirm: true } } };
const answerSchema = z.tuple([z.object({ result: z.looseObject({ requestState: z.string().optional() }) })]);

/** Sends a raw tools/call on 2026-07-28, with anything that a client may make up. */
async function raw(as: Record<string, string>, name: string, args: object, retry: object = {}) {
  const { params, ...message } = call(name, args);
  const { messages } = await post(
    { ...message, params: { ...params, ...retry, _meta: META } },
    { ...as, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": name },
  );
  return answerSchema.parse(messages)[0].result;
}

describe("a client that answers for its user", () => {
  async function stopped() {
    const { as, user } = await agent();
    const { bad, open } = await newTickets();
    await raw(as, "get_ticket", { ticket_id: bad });
    const { requestState } = await raw(as, "close_ticket", closing(open));
    expect(requestState).toBeTypeOf("string");
    return { as, user, open, requestState };
  }
  const isRefused = (result: unknown) =>
    expect(result).toMatchObject({
      _meta: { "product-catalog-mcp/refusal": { code: "confirmation_required" } },
    });

  it("is ignored without the state it was given", async () => {
    const { as, open } = await stopped();
    isRefused(await raw(as, "close_ticket", closing(open), { inputResponses: accepted }));
    expect(await status(open)).toBe("open");
  });

  it.each<[string, (state: string) => string]>([
    ["changed", (state) => `${state.slice(0, -3)}AAA`],
    ["cut", (state) => state.slice(0, 40)],
    ["invented", () => "v1.e30.e30"],
  ])("is ignored with a state that is %s", async (_, change) => {
    const { as, open, requestState = "" } = await stopped();
    const retry = { inputResponses: accepted, requestState: change(requestState) };
    isRefused(await raw(as, "close_ticket", closing(open), retry));
    expect(await status(open)).toBe("open");
  });

  it("is ignored with the state of other arguments or another caller", async () => {
    const { as, open, requestState } = await stopped();
    const retry = { inputResponses: accepted, requestState };
    isRefused(await raw(as, "close_ticket", { ...closing(open), resolution: "Other" }, retry));
    const other = await stopped();
    isRefused(await raw(other.as, "close_ticket", closing(other.open), retry));
    expect(await status(open)).toBe("open");
  });

  it("is accepted once", async () => {
    const { as, user, open, requestState } = await stopped();
    const retry = { inputResponses: accepted, requestState };
    expect(await raw(as, "close_ticket", closing(open), retry)).toMatchObject({ structuredContent: {} });
    expect(await status(open)).toBe("closed");
    const incidents = () =>
      env.DB.prepare("SELECT status, decided_by FROM incidents WHERE principal = ?").bind(user).all();
    await vi.waitFor(async () =>
      expect((await incidents()).results).toEqual([{ status: "released", decided_by: "principal" }]),
    );
    isRefused(await raw(as, "close_ticket", closing(open), retry));
  });

  it("is ignored if more text was read after the question", async () => {
    const { as, open, requestState } = await stopped();
    const { bad } = await newTickets();
    await raw(as, "get_ticket", { ticket_id: bad });
    isRefused(await raw(as, "close_ticket", closing(open), { inputResponses: accepted, requestState }));
    expect(await status(open)).toBe("open");
  });

  it("is always ignored about people's data", async () => {
    const { as } = await agent();
    const ids = deskSample.customers.map(({ id }) => `C-${id}`).filter((id) => id !== "C-10003");
    let stop: Record<string, unknown> = {};
    for (const customer_id of ids) stop = await raw(as, "get_customer", { customer_id });
    expect(stop).toMatchObject({
      _meta: { "product-catalog-mcp/refusal": { code: "confirmation_required" } },
    });
    const { requestState } = stop;
    const retry = { inputResponses: accepted, ...(typeof requestState === "string" && { requestState }) };
    isRefused(await raw(as, "get_customer", { customer_id: ids.at(-1) }, retry));
  });
});

describe("who may decide", () => {
  const user = (userId: string, roles: string[], kind: "user" | "service" = "user") => ({
    userId,
    roles,
    kind,
    name: userId,
    customerId: undefined,
  });
  it.each([
    [
      "a person about their own work, signed in at the provider",
      user("ada", ["support"]),
      true,
      "ada",
      "yes",
    ],
    ["a person about their own work, with a key", user("ada", ["support"]), false, "ada", "no"],
    ["an admin about their own work, with a key", user("ada", ["admin"]), false, "ada", "with-code"],
    ["an admin about another's work", user("root", ["admin"]), false, "ada", "yes"],
    ["an admin about an anonymous caller", user("root", ["admin"]), false, "anon-x", "yes"],
    ["a person about another's work", user("bob", ["support"]), true, "ada", "no"],
    ["a service about its own work", user("bot", ["admin"], "service"), true, "bot", "no"],
  ])("%s", async (_, signedInUser, interactive, principal, expected) => {
    const credential = interactive
      ? { identityId: "sign-on-x" }
      : { keyId: (await newKey(await newUser())).id };
    const asked = mayDecide(env.DB, { user: signedInUser, interactive, credential }, principal, {
      hasSignOn: false,
      now: Date.now(),
    });
    expect(await asked).toBe(expected);
  });
});

describe("/confirm", () => {
  async function stoppedAtLink() {
    const { user, as, secret } = await agent();
    let url = "";
    for (const { id } of deskSample.customers) {
      const { refusal } = await ask(as, "get_customer", { customer_id: `C-${id}` });
      if (refusal !== undefined)
        url = z.object({ hints: z.object({ confirm_at: z.tuple([z.url()]) }) }).parse(refusal).hints
          .confirm_at[0];
    }
    return { user, as, secret, path: new URL(url).pathname };
  }
  const admin = async () => signedIn((await newKey(await newUser(["admin"]))).secret);

  it("lets an admin allow it once, and the work goes on", async () => {
    const browser = await admin();
    const { user, as, path } = await stoppedAtLink();
    const page = await (await browser.request(path)).text();
    expect(page).toContain(user);
    expect(page).toContain("people");
    expect((await browser.post(path, { decision: "allow", note: "ok" })).status).toBe(200);
    expect((await ask(as, "get_customer", { customer_id: ADA })).value).toBeDefined();
    expect(await (await browser.post(path, { decision: "allow" })).text()).toContain("Nothing to decide");
  });

  it("is closed to the suspect's own key, to others, and without a session", async () => {
    const { as, path, secret } = await stoppedAtLink();
    const suspect = await signedIn(secret);
    expect((await suspect.request(path)).status).toBe(403);
    expect((await suspect.post(path, { decision: "allow" })).status).toBe(403);
    const other = await signedIn((await newKey(await newUser(["support"]))).secret);
    expect((await other.post(path, { decision: "allow" })).status).toBe(403);
    expect((await send(path, { redirect: "manual" })).status).toBe(303);
    const last = deskSample.customers.at(-1);
    expect((await ask(as, "get_customer", { customer_id: `C-${last?.id}` })).refusal).toMatchObject({
      code: "confirmation_required",
    });
  });

  it.each([
    "/confirm/AAAAAAAAAAAAAAAAAAAAAA",
    "/confirm/x",
    "/confirm/..%2f..%2fadmin",
    `/confirm/${INJECTED[0]}`,
  ])("shows nothing at %s", async (path) => {
    expect((await (await admin()).request(path)).status).toBe(403);
  });

  it("rejects a form of another site", async () => {
    const browser = await admin();
    const { path } = await stoppedAtLink();
    const response = await browser.request(path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: "https://evil.example" },
      body: "decision=allow",
    });
    expect(response.status).toBe(403);
  });
});
