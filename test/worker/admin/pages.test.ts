import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { adminPages } from "../../../src/admin/pages.tsx";
import { admission, newObject, settlement } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";
import { Browser, signedIn } from "../identity/support/browser.ts";
import { ORIGIN, form } from "../identity/support/deployed.ts";
import { keyOf, newKey, newUser } from "../identity/support/people.ts";

const NOBODY = "no-such-thing";
/** Every route, and what an admin gets of it about nobody. */
const ROUTES: [method: "GET" | "POST", pattern: string, path: string, status: number][] = [
  ["GET", "/admin", "/admin", 200],
  ["GET", "/admin/incidents", "/admin/incidents", 200],
  ["GET", "/admin/incidents/:id", `/admin/incidents/${NOBODY}`, 404],
  ["POST", "/admin/incidents/:id", `/admin/incidents/${NOBODY}`, 404],
  ["GET", "/admin/callers", "/admin/callers", 200],
  ["GET", "/admin/callers/:id", `/admin/callers/${NOBODY}`, 404],
  ["POST", "/admin/callers/:id/release", `/admin/callers/${NOBODY}/release`, 404],
  ["POST", "/admin/callers/:id/disable", `/admin/callers/${NOBODY}/disable`, 404],
  ["POST", "/admin/callers/:id/enable", `/admin/callers/${NOBODY}/enable`, 404],
  ["GET", "/admin/audit", "/admin/audit", 200],
  ["GET", "/admin/audit/:principal", `/admin/audit/${NOBODY}`, 404],
  ["GET", "/admin/audit/:principal/download", `/admin/audit/${NOBODY}/download`, 404],
  ["GET", "/admin/policy", "/admin/policy", 200],
];

let admin: Browser;
let adminId: string;
beforeAll(async () => {
  adminId = await newUser(["admin"]);
  admin = await signedIn((await newKey(adminId)).secret);
});

const go = (browser: Browser, method: string, path: string, headers: Record<string, string> = {}) =>
  method === "GET"
    ? browser.request(path, { headers })
    : browser.request(path, form({ decision: "closed" }, { origin: ORIGIN, ...headers }));

it("the table names every route", () => {
  const routes = adminPages.routes.filter(({ method }) => method !== "ALL");
  expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual(
    ROUTES.map(([method, pattern]) => `${method} ${pattern}`),
  );
});

describe.each(ROUTES)("%s %s", (method, _, path, status) => {
  it("sends who is not signed in to the sign-in page", async () => {
    const response = await go(new Browser(), method, path);
    expect(response.status).toBe(303);
    const next = method === "GET" ? path : "/admin";
    expect(response.headers.get("location")).toBe(`/sign-in?next=${encodeURIComponent(next)}`);
  });

  it.each([["shopper"], ["support"], ["inventory"]])("refuses the role %s", async (role) => {
    const response = await go(await signedIn(await keyOf([role])), method, path);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("This is for administrators");
  });

  it("refuses an admin's key that is narrowed to less", async () => {
    const { secret } = await newKey(await newUser(["admin", "shopper"]), { roles: ["shopper"] });
    expect((await go(await signedIn(secret), method, path)).status).toBe(403);
  });

  it("is not for an access key in a header: a page is a browser's", async () => {
    const response = await go(new Browser(), method, path, {
      authorization: `Bearer ${await keyOf(["admin"])}`,
    });
    expect(response.status).toBe(303);
  });

  it("answers an admin, uncached, under a strict policy", async () => {
    const response = await go(admin, method, path);
    expect(response.status).toBe(status);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    const html = await response.text();
    expect(html).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle="|\son[a-z]+="/);
  });

  it("has a page that refreshes itself load anew, without a session", async () => {
    const response = await go(new Browser(), method, path, { "hx-request": "true" });
    expect(response.status).toBe(401);
    expect(response.headers.get("hx-refresh")).toBe("true");
  });
});

describe.each(ROUTES.filter(([method]) => method === "POST"))("%s %s", (_, __, path) => {
  it.each([
    ["another site's page", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    // Its scripts may call the Worker; its forms may not come along with an admin's cookie.
    ["another server of this machine", { origin: "http://localhost:3000" }],
    ["nobody knows which page", {}],
  ])("refuses a form of %s", async (___, headers) => {
    const response = await admin.request(path, form({ decision: "released" }, headers));
    expect(response.status).toBe(403);
  });
});

const LIMIT = { max: 1_000, windowMs: 60_000 };
const about = (person: string) => ({
  classes: ["identity" as const],
  kinds: ["source" as const],
  cost: { records: 1, bytes: 100 },
  unnamed: { subject: false, objects: 0 },
  subjects: [person],
  objects: [],
  neighbourhoods: [],
});
type Caller = ReturnType<typeof newObject>;

/** One call about a person, settled where it runs; gives what it was refused with. */
async function read({ principal, object }: Caller, person: string) {
  const flow = about(person);
  const attempt = { name: "get_customer", roles: ["support"], flow };
  const answer = await object.admit(admission(principal, { limit: LIMIT, attempt }));
  if (!answer.admitted) return answer.stage === "flow" ? answer.refusal : undefined;
  const { subjects, objects, neighbourhoods } = flow;
  await object.settle({
    ...settlement(answer.seq),
    flow: { subjects, objects, neighbourhoods, missed: false, tainted: false, canary: false },
  });
  return undefined;
}

/** Reads one person after another until it is stopped; gives the incident. */
async function stop(caller: Caller): Promise<string> {
  for (let person = 0; person < 20; person++) {
    const refusal = await read(caller, `person-${person}`);
    if (refusal?.verdict === "confirm") return refusal.incident;
  }
  throw new Error("Nobody stopped it.");
}

const decisionsOf = async ({ object }: Caller) =>
  (await recordsOf(object)).filter((record) => record.kind === "decision");

describe("an incident's page", () => {
  it("says who did what, and of which calls", async () => {
    const caller = newObject();
    const id = await stop(caller);
    const html = await (await admin.request(`/admin/incidents/${id}`)).text();
    expect(html).toContain("read the data of 8 people within 10 minutes; 7 are let through");
    expect(html).toContain("Let through for 1 hour");
    expect(html.match(/id="call-\d+"/g)?.length).toBeGreaterThanOrEqual(8);
    // A token, never an id.
    expect(html).not.toContain("person-7");
  });

  it.each([
    ["released", "Let through", 5],
    ["declined", "Declined", 0],
    ["closed", "Closed", 0],
  ])("%s, with who, when and why in the audit", async (decision, said, allowance) => {
    const caller = newObject();
    const id = await stop(caller);
    const response = await admin.post(`/admin/incidents/${id}`, { decision, note: "Known  work" });
    expect(response.status).toBe(303);
    const html = await (await admin.request(response.headers.get("location") ?? "")).text();
    expect(html).toContain(`${said} by ${adminId}`);
    expect(html).toContain("Known work");
    expect(await decisionsOf(caller)).toMatchObject([
      { decision, by: adminId, note: "Known work", incident: id, rules: ["people"], allowance },
    ]);
    expect((await read(caller, "one more"))?.verdict).toBe(decision === "released" ? undefined : "confirm");
    expect((await admin.post(`/admin/incidents/${id}`, { decision })).status).toBe(409);
  });

  it("decides nothing without a decision", async () => {
    const caller = newObject();
    const id = await stop(caller);
    expect((await admin.post(`/admin/incidents/${id}`, { decision: "maybe" })).status).toBe(409);
    expect(await decisionsOf(caller)).toEqual([]);
  });

  it("is no way to decide about one's own work with a pasted key", async () => {
    const own = { principal: adminId, object: env.USER_WINDOWS.getByName(adminId) };
    const id = await stop(own);
    expect(await (await admin.request(`/admin/incidents/${id}`)).text()).not.toContain(
      '<form method="post" action="/admin/incidents',
    );
    expect((await admin.post(`/admin/incidents/${id}`, { decision: "released" })).status).toBe(409);
    expect((await admin.post(`/admin/callers/${adminId}/release`, {})).status).toBe(409);
    expect(await decisionsOf(own)).toEqual([]);
  });

  it("closes what D1 alone still holds, in the audit too", async () => {
    const caller = newObject();
    const id = await stop(caller);
    const copy = "A".repeat(22);
    await env.DB.prepare(
      `INSERT INTO incidents SELECT '${copy}', principal, rule, rule_version, verdict, severity, tool, observed,
       threshold, window_ms, events, first_at, last_at, count, 'open', NULL, NULL, NULL FROM incidents WHERE id = ?`,
    )
      .bind(id)
      .run();
    expect((await admin.post(`/admin/incidents/${copy}`, { decision: "released" })).status).toBe(409);
    expect((await admin.post(`/admin/incidents/${copy}`, { decision: "closed", note: "old" })).status).toBe(
      303,
    );
    expect(await decisionsOf(caller)).toMatchObject([{ decision: "closed", incident: copy, note: "old" }]);
  });
});

describe("a caller's page", () => {
  it("shows budget, counts, people as tokens, incidents and calls", async () => {
    const caller = newObject();
    await stop(caller);
    const html = await (await admin.request(`/admin/callers/${caller.principal}`)).text();
    expect(html).toContain("Calls: 8 of 100 in 60 s");
    expect(html).toContain("7 people");
    expect(html).toContain("Look and decide");
    expect(html).toContain("7 within a day");
  });

  it("disables and enables, first of all in the audit, with the note", async () => {
    const user = await newUser(["shopper"]);
    const { secret } = await newKey(user);
    const post = (verb: string, note: string) => admin.post(`/admin/callers/${user}/${verb}`, { note });
    expect((await post("disable", "key on a screenshot")).headers.get("location")).toContain("done=disabled");
    expect((await signedIn(secret)).cookies.size).toBe(0);
    expect((await post("enable", "")).status).toBe(303);
    expect((await signedIn(secret)).cookies.size).toBe(1);
    const records = await recordsOf(env.USER_WINDOWS.getByName(user));
    expect(records).toMatchObject([
      { kind: "decision", decision: "disabled", by: adminId, note: "key on a screenshot" },
      { kind: "decision", decision: "enabled", by: adminId, note: null },
    ]);
  });

  it("releases a block, which stands for a day else, and nothing where nothing stops the caller", async () => {
    const caller = newObject();
    let verdict: string | undefined;
    let incident: string | undefined;
    for (let person = 0; person < 200 && verdict !== "block"; person++) {
      const refusal = await read(caller, `person-${person}`);
      verdict = refusal?.verdict;
      if (refusal?.verdict !== "confirm") continue;
      incident = refusal.incident;
      await caller.object.decide({ incident, decision: "released", by: "root", note: null });
    }
    expect(verdict).toBe("block");
    const path = `/admin/callers/${caller.principal}`;
    expect(await (await admin.request(path)).text()).toContain("by memory-flooding until");
    expect((await read(caller, "person-0"))?.verdict).toBe("block");

    expect((await admin.post(`${path}/release`, { rule: "people" })).status).toBe(409);
    const response = await admin.post(`${path}/release`, { rule: "memory-flooding", note: "a migration" });
    expect(response.headers.get("location")).toBe(`${path}?done=released`);
    expect((await read(caller, "person-199"))?.verdict).not.toBe("block");
    expect((await decisionsOf(caller)).at(-1)).toMatchObject({
      decision: "released",
      rules: ["memory-flooding"],
      by: adminId,
      note: "a migration",
    });
    expect(await (await admin.request(path)).text()).toContain("no block");
  });
});

describe("the audit's pages", () => {
  it("verifies a chain and gives it away", async () => {
    const caller = newObject();
    await stop(caller);
    await caller.object.anchor();
    const page = await (await admin.request(`/admin/audit/${caller.principal}`)).text();
    expect(page).toContain("15 records, unchanged, up to head");
    const file = await admin.request(`/admin/audit/${caller.principal}/download`);
    expect(file.headers.get("content-disposition")).toBe(
      `attachment; filename="audit-${caller.principal}.jsonl"`,
    );
    expect((await file.text()).trimEnd().split("\n")).toHaveLength(16);
  });

  it("says which record was changed", async () => {
    const caller = newObject();
    await stop(caller);
    await caller.object.anchor();
    await runInDurableObject(caller.object, (_, { storage }) => {
      storage.sql.exec(
        "UPDATE records SET text = replace(text, 'get_customer', 'get_product') WHERE seq = 3",
      );
    });
    const page = await (await admin.request(`/admin/audit/${caller.principal}`)).text();
    expect(page).toContain(
      "Line 4 of the export, record 3: this record, or its link to the one before, was changed.",
    );
  });
});
