import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../../src/app.ts";
import type { CallerNamespace } from "../../../src/caller/caller-do.ts";
import { toolsByName } from "../../../src/mcp/targets.ts";
import { bearer, DEPLOYED, ORIGIN, RESOURCE } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { admission } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { ADA, fillDesk } from "../support/desk.ts";
import { modern } from "../support/modern.ts";
import { sessionsByBinding } from "../support/sessions.ts";

const NOW = 1_800_000_000_000;

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Callers' objects whose admissions wait for `admit`, and the order in which things happened. */
function held() {
  const events: string[] = [];
  const { promise: told, resolve: admit } = Promise.withResolvers<void>();
  const callers: CallerNamespace = new Proxy(env.USER_WINDOWS, {
    get(namespace, property) {
      if (property !== "getByName") return Reflect.get(namespace, property);
      return (name: string) => {
        const stub = namespace.getByName(name);
        return new Proxy(stub, {
          get(target, method) {
            if (method !== "decideAll") return Reflect.get(target, method);
            return async (...args: unknown[]) => {
              events.push("asked");
              await told;
              const decided: unknown = await Reflect.apply(Reflect.get(target, method), target, args);
              events.push("decided");
              return decided;
            };
          },
        });
      };
    },
  });
  return { callers, events, admit };
}

/** Notes each statement of a read of the catalog or the support desk. `hangs` makes it never answer. */
function watchReads(events: string[], { hangs = false } = {}) {
  sessionsByBinding();
  const prepare = env.DB.prepare.bind(env.DB);
  const isRead = (sql: string) =>
    /FROM (?:word_counts|json_each|customers|categories)|product_search/.test(sql);
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    if (isRead(sql)) events.push("read");
    return prepare(sql);
  });
  const batch = env.DB.batch.bind(env.DB);
  vi.spyOn(env.DB, "batch").mockImplementation((statements) =>
    hangs ? new Promise<never>(() => {}) : batch(statements),
  );
}

async function newCaller(role = "shopper") {
  const user = await newUser([role]);
  const { secret } = await newKey(user);
  const call = async (tool: string, args: object, callers: CallerNamespace = env.USER_WINDOWS) => {
    const { body, headers } = modern("tools/call", { name: tool, arguments: args });
    const request = new Request(RESOURCE, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        host: new URL(ORIGIN).host,
        ...headers,
        ...bearer(secret),
      },
      body: JSON.stringify(body),
    });
    const ctx = createExecutionContext();
    const response = await app.fetch(request, { ...env, ...DEPLOYED, USER_WINDOWS: callers, ctx }, ctx);
    const text = await response.text();
    await waitOnExecutionContext(ctx);
    return text;
  };
  const warm = async () => {
    for (let made = 0; made < 3; made++)
      expect(await call("search_products", SEARCH)).not.toContain('"isError":true');
  };
  return { user, call, warm, object: env.USER_WINDOWS.getByName(user) };
}

const SEARCH = { query: "keyboard" };

/** Makes one call whose admission is held until its read had time to begin. */
async function order(
  { call }: Awaited<ReturnType<typeof newCaller>>,
  tool: string,
  args: object,
  { hangs = false } = {},
) {
  const { callers, events, admit } = held();
  watchReads(events, { hangs });
  const answer = call(tool, args, callers);
  await vi.waitFor(() => expect(events).toContain("asked"));
  // The read, if there is one, was begun in the same turn.
  await scheduler.wait(0);
  const before = [...events];
  admit();
  const text = await answer;
  vi.restoreAllMocks();
  return { before, after: events, text };
}

describe("a public read of a known caller", () => {
  it.each([
    ["search_products", SEARCH],
    ["get_product", { sku: "SKU-10001" }],
    ["query_stock", { skus: ["SKU-10001"] }],
    ["list_categories", {}],
  ])("%s begins beside its admission, and its answer is the same", async (tool, args) => {
    const caller = await newCaller();
    await caller.warm();
    const plain = await caller.call(tool, args);
    const { before, text } = await order(caller, tool, args);
    expect(before).toContain("read");
    const timeless = (answer: string) => answer.replaceAll(/\d\d:\d\d:\d\d\.\d{3}Z/g, "");
    expect(timeless(text)).toEqual(timeless(plain));
  });
});

describe("no read begins before the admission", () => {
  it("of a new caller", async () => {
    const { before, after } = await order(await newCaller(), "search_products", SEARCH);
    expect(before).not.toContain("read");
    expect(after).toContain("read");
  });

  it("of a caller whose latest call was refused", async () => {
    const caller = await newCaller();
    await caller.warm();
    await caller.call("search_products", { query: 7 });
    const { before } = await order(caller, "search_products", SEARCH);
    expect(before).not.toContain("read");
  });

  it("of personal data", async () => {
    const caller = await newCaller("support");
    await caller.warm();
    const { before, after } = await order(caller, "get_customer", { customer_id: ADA });
    expect(before).not.toContain("read");
    expect(after).toContain("read");
  });

  it("that a local check refuses", async () => {
    const caller = await newCaller();
    await caller.warm();
    const { after } = await order(caller, "search_products", { query: 7 });
    expect(after).not.toContain("read");
  });

  it("of a tool that does not declare it", async () => {
    const caller = await newCaller();
    await caller.warm();
    const tool = toolsByName.get("list_categories");
    if (tool === undefined) throw new Error("There is no such tool.");
    vi.spyOn(tool, "runsAhead", "get").mockReturnValue(undefined);
    const { before, after } = await order(caller, "list_categories", {});
    expect(before).not.toContain("read");
    expect(after).toContain("read");
  });

  it("while another read of the caller is ahead", async () => {
    const caller = await newCaller();
    await caller.warm();
    const { callers, events, admit } = held();
    watchReads(events);
    const calls = [1, 2, 3].map(() => caller.call("search_products", SEARCH, callers));
    await vi.waitFor(() => expect(events.filter((each) => each === "asked")).toHaveLength(3));
    await scheduler.wait(0);
    const ahead = events.filter((each) => each === "read").length;
    admit();
    await Promise.all(calls);
    const all = events.filter((each) => each === "read").length;
    expect(ahead).toBeGreaterThan(0);
    expect(all).toBe(3 * ahead);
  });
});

describe("a search that has products to reindex", () => {
  const UNREAD = "UPDATE catalog_state SET unread_from = 0";
  /** Whether all products are indexed again. */
  const isDone = async () =>
    (await env.DB.prepare("SELECT unread_from FROM catalog_state").first("unread_from")) === null;
  afterEach(async () => void (await env.DB.prepare("UPDATE catalog_state SET unread_from = NULL").run()));

  it("writes nothing before it is admitted", async () => {
    const caller = await newCaller();
    await caller.warm();
    await env.DB.prepare(UNREAD).run();
    const { callers, events, admit } = held();
    watchReads(events);
    const answer = caller.call("search_products", SEARCH, callers);
    await vi.waitFor(() => expect(events).toContain("read"));
    await scheduler.wait(50);
    expect(await isDone()).toBe(false);
    admit();
    expect(await answer).toContain("SKU-");
    expect(await isDone()).toBe(true);
  });

  it("writes nothing if it is refused", async () => {
    const caller = await usedUp();
    await env.DB.prepare(UNREAD).run();
    const { before, text } = await order(caller, "search_products", SEARCH);
    expect(before).toContain("read");
    expect(text).toContain('"code":"rate_limited"');
    expect(await isDone()).toBe(false);
  });
});

/** A caller who has used up its calls of this minute, but whose latest call was admitted. */
async function usedUp() {
  const caller = await newCaller();
  const limit = { max: 100, windowMs: 60_000 };
  await caller.object.admit(admission(caller.user, { limit, attempt: { weight: 97 } }));
  await caller.warm();
  // The outcomes of public calls are recorded after their answers.
  await vi.waitFor(async () => expect(await recordsOf(caller.object)).toHaveLength(1 + 3 * 2));
  return caller;
}

describe("a read whose call is refused", () => {
  it("leaves no record, no charge and no log line of its own", async () => {
    const caller = await usedUp();
    const before = await recordsOf(caller.object);
    const lines: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: unknown) => void lines.push(String(line)));
    const { before: begun, text } = await order(caller, "search_products", SEARCH);
    expect(begun).toContain("read");
    expect(text).toContain('"code":"rate_limited"');
    expect(text).not.toContain("SKU-");
    expect((await recordsOf(caller.object)).slice(before.length)).toMatchObject([
      { kind: "attempt", decision: "rate_limited" },
    ]);
    expect(lines).toEqual([]);
  });

  it("is not waited for", async () => {
    const caller = await usedUp();
    const { before, text } = await order(caller, "search_products", SEARCH, { hangs: true });
    expect(before).toContain("read");
    expect(text).toContain('"code":"rate_limited"');
  });

  it("reports no failure", async () => {
    const caller = await usedUp();
    const lines: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: unknown) => void lines.push(String(line)));
    const { callers, events, admit } = held();
    sessionsByBinding();
    vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("PLANTED"));
    const answer = caller.call("search_products", SEARCH, callers);
    await vi.waitFor(() => expect(events).toContain("asked"));
    admit();
    expect(await answer).toContain('"code":"rate_limited"');
    expect(lines).toEqual([]);
  });

  it("is the caller's last one ahead until a call is admitted", async () => {
    const caller = await usedUp();
    await order(caller, "search_products", SEARCH);
    expect((await order(caller, "search_products", SEARCH)).after).not.toContain("read");
    vi.setSystemTime(NOW + 61_000);
    expect((await order(caller, "search_products", SEARCH)).before).not.toContain("read");
    expect((await order(caller, "search_products", SEARCH)).before).toContain("read");
  });
});
