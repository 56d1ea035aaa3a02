import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { api } from "../identity/support/admin-api.ts";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { createStore } from "../../../src/caller/store.ts";
import { newObject } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";
import { decisionsOf, read, stop } from "./support.ts";

let admin: Browser;
let adminId: string;
beforeAll(async () => {
  adminId = await newUser(["admin"]);
  admin = await signedIn((await newKey(adminId)).secret);
});

describe("an incident's page", () => {
  it("shows the caller's behaviour and the matching calls", async () => {
    const caller = newObject();
    const id = await stop(caller);
    const html = await (await admin.request(`/admin/incidents/${id}`)).text();
    expect(html).toContain("tried to read the data of 8 people within 10 minutes; 7 are allowed");
    expect(html).toContain("Allow for 1 hour");
    expect(html.match(/id="call-\d+"/g)?.length).toBeGreaterThanOrEqual(8);
    // The page shows a token, never an id.
    expect(html).not.toContain("person-7");
  });

  it.each([
    ["released", "Allowed", 5],
    ["declined", "Declined", 0],
    ["closed", "Closed", 0],
  ])("records %s with admin, time and note in the audit", async (decision, said, allowance) => {
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

  it("names all rules that wait for the same decision, like the confirmation page, and decides them together", async () => {
    const caller = newObject();
    for (let person = 0; person < 7; person++) await read(caller, `person-${person}`);
    for (let miss = 0; miss < 16; miss++) await read(caller, "person-0", true);
    const id = await stop(caller, "another");
    const pages = [`/admin/incidents/${id}`, `/confirm/${id}`];
    const waiting = (await caller.object.decidedWith(id)).map(({ rule }) => rule);
    expect(waiting.toSorted()).toEqual(["people", "people-guessing"]);
    for (const path of pages) {
      const html = await (await admin.request(path)).text();
      for (const rule of waiting) expect(html).toContain(rule);
    }
    await admin.post(pages[0] ?? "", { decision: "declined" });
    expect(await caller.object.decidedWith(id)).toEqual([]);
    expect((await decisionsOf(caller)).at(-1)?.rules.toSorted()).toEqual(["people", "people-guessing"]);
  });

  it("shows the same counts as the confirmation page", async () => {
    const id = await stop(newObject());
    const pages = await Promise.all(
      [`/admin/incidents/${id}`, `/confirm/${id}`].map(async (path) => (await admin.request(path)).text()),
    );
    for (const html of pages) {
      expect(html).toContain("8 people in 10 minutes; 7 are allowed");
      expect(html).toMatch(/>\d+ \w+ \d{4}, [\d:]{8} UTC</);
      expect(html).toMatch(/Allow for 1 hour/);
    }
  });

  it("decides nothing without a decision", async () => {
    const caller = newObject();
    const id = await stop(caller);
    expect((await admin.post(`/admin/incidents/${id}`, { decision: "maybe" })).status).toBe(409);
    expect(await decisionsOf(caller)).toEqual([]);
  });

  it("refuses to decide about one's own work with a key", async () => {
    const own = { principal: adminId, object: env.USER_WINDOWS.getByName(adminId) };
    const id = await stop(own);
    expect(await (await admin.request(`/admin/incidents/${id}`)).text()).not.toContain(
      '<form method="post" action="/admin/incidents',
    );
    expect((await admin.post(`/admin/incidents/${id}`, { decision: "released" })).status).toBe(409);
    expect((await admin.post(`/admin/callers/${adminId}/release`, {})).status).toBe(409);
    expect(await decisionsOf(own)).toEqual([]);
  });

  it("closes an incident that only D1 still has, and records it", async () => {
    const caller = newObject();
    const id = await stop(caller);
    const copy = "A".repeat(22);
    await env.DB.prepare(
      `INSERT INTO incidents SELECT '${copy}', principal, rule, rule_version, verdict, severity, tool, observed,
       threshold, window_ms, events, first_at, last_at, count, 'open', NULL, NULL, NULL, correlation_id FROM incidents WHERE id = ?`,
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
    expect(html).toContain("Review");
    expect(html).toContain("7 within a day");
  });

  it("shows, like the list, that calls wait for a decision until they are allowed", async () => {
    const caller = newObject();
    const path = `/admin/callers/${caller.principal}`;
    const pages = async () =>
      Promise.all(
        [path, `/admin/callers?q=${caller.principal}`].map(async (each) =>
          (await admin.request(each)).text(),
        ),
      );
    await stop(caller);
    for (const html of await pages()) expect(html).toContain("waits for a decision</span>");
    // Ten minutes on, the rule lets as many through again, answered or not.
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 11 * 60_000);
    for (const html of await pages()) expect(html).toContain("may call</span>");
    clock.mockRestore();
    await admin.post(`${path}/release`, {});
    for (const html of await pages()) expect(html).toContain("may call</span>");
  });

  it("disables and enables a user, with the note in the audit", async () => {
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
      { kind: "change", change: "signed_in", by: user },
    ]);
  });

  it("shows admin events of the caller, the latest first", async () => {
    const key = (await newKey(adminId)).secret;
    const user = `shown-${crypto.randomUUID()}`;
    const page = async () => (await admin.request(`/admin/callers/${user}`)).text();
    await api(key, "POST", "/users", { id: user, name: "Shown", roles: ["shopper"] });
    expect(await page()).toContain("added it, with shopper");
    await api(key, "PUT", `/users/${user}/roles`, { roles: ["shopper", "support"] });
    await admin.post(`/admin/callers/${user}/disable`, { note: "<b>on a screenshot</b>" });
    for (let person = 0; person < 60; person++)
      await read({ principal: user, object: env.USER_WINDOWS.getByName(user) }, "person-0");
    const html = await page();
    expect([...html.matchAll(/id="event-(\d+)"/g)].map(([, seq]) => Number(seq))).toEqual([3, 2, 1]);
    for (const said of ["disabled it", "set its roles: shopper and support", "added it, with shopper"])
      expect(html).toContain(said);
    expect(html).toContain("&lt;b&gt;on a screenshot&lt;/b&gt;");
    const acts = (pruned: number) =>
      runInDurableObject(env.USER_WINDOWS.getByName(user), (_, { storage }) => {
        const store = createStore(storage.sql);
        store.prune(pruned);
        return store.adminEvents(2).map(({ seq }) => seq);
      });
    expect([await acts(0), await acts(2), await acts(3)]).toEqual([[3, 2], [3], []]);
  });

  it("releases a block, and refuses if nothing stops the caller", async () => {
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
    const list = await admin.request(`/admin/callers?q=${caller.principal}`);
    expect(await list.text()).toContain("blocked</span>");
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
  it("verifies a chain and downloads it", async () => {
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

  it("names the record that was changed", async () => {
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
