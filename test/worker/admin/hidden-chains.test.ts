import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { anchorSchema, verifyChain } from "../../../src/caller/audit/chain.ts";
import { AuditLog } from "../../../src/caller/audit/audit-log.ts";
import { createStore } from "../../../src/caller/store.ts";
import { auditIndex } from "../../../src/caller/audit/audit-index.ts";
import { api } from "../identity/support/admin-api.ts";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { keyOf } from "../identity/support/people.ts";
import { SECRET_KEY } from "../support/caller.ts";
import { admission, settlement } from "../support/admission.ts";
import { anchorRow } from "../support/audit.ts";
import { fill, sample } from "../support/catalog.ts";

// An attacker who can only write D1 can hide no chain from a list or an export.

let key: string;
let admin: Browser;
let principal: string;
let count = 0;
beforeAll(async () => {
  await fill(sample);
  key = await keyOf(["admin"]);
  admin = await signedIn(key);
});
beforeEach(async () => {
  count += 1;
  principal = `anon-hidden-${count}`;
  const object = env.USER_WINDOWS.getByName(principal);
  const answer = await object.admit(admission(principal));
  if (answer.admitted) await object.settle(settlement(answer.seq));
  // The second stores that the index has the chain.
  await object.anchor();
  await object.anchor();
  await evictDurableObject(object);
});

const listSchema = z.object({
  anchors: z.array(z.looseObject({ principal: z.string(), seq: z.int(), problem: z.string().nullable() })),
  next: z.string().nullable(),
});
/** Returns the list's row about the caller. */
async function listed() {
  const found = [];
  for (let next: string | null = ""; next !== null;) {
    const query: string = next === "" ? "" : `&after=${next}`;
    const page = listSchema.parse(await (await api(key, "GET", `/audit?limit=2${query}`)).json());
    found.push(...page.anchors);
    next = page.next;
  }
  expect(new Set(found.map((each) => each.principal)).size).toBe(found.length);
  return found.filter((each) => each.principal === principal);
}

it.each([
  ["deleted", "DELETE FROM audit_anchors WHERE principal = ?"],
  ["closed", "UPDATE audit_anchors SET closed_at = 1 WHERE principal = ?"],
  ["replaced", "UPDATE audit_anchors SET started_at = started_at + 1 WHERE principal = ?"],
])("lists a row that was %s with its problem, and exports its chain", async (problem, sql) => {
  expect(await listed()).toMatchObject([{ problem: null, seq: 2 }]);
  await env.DB.prepare(sql).bind(principal).run();
  expect(await listed()).toMatchObject([{ problem, seq: 2 }]);
  // It is right again, and what was found stays.
  expect(await anchorRow(principal)).toMatchObject({ seq: 2, closed_at: null });
  expect(await listed()).toMatchObject([{ problem, seq: 2 }]);
  const page = await (await admin.request("/admin/audit")).text();
  expect(page).toContain(`${problem} externally`);

  const response = await api(key, "GET", `/audit/${principal}`);
  expect(response).toMatchObject({ status: 200 });
  expect(response.headers.get("x-audit-row-problem")).toBe(problem);
  const anchor = anchorSchema.parse(JSON.parse(response.headers.get("x-audit-anchor") ?? ""));
  const lines = (await response.text()).trimEnd().split("\n");
  expect(await verifyChain(lines, anchor)).toMatchObject({ ok: true, records: 2, checked: { end: true } });
});

it("an export and a check find a row that is ahead of its chain", async () => {
  await env.DB.prepare("UPDATE audit_anchors SET seq = seq + 1000 WHERE principal = ?").bind(principal).run();
  const response = await api(key, "GET", `/audit/${principal}`);
  expect(response.headers.get("x-audit-row-problem")).toBe("ahead");
  expect(await (await admin.request(`/admin/audit/${principal}`)).text()).toContain("ahead of the chain");
});

it.each([
  ["deleted", "DELETE FROM audit_anchors WHERE principal = ?"],
  ["closed", "UPDATE audit_anchors SET closed_at = 1 WHERE principal = ?"],
  ["replaced", "UPDATE audit_anchors SET started_at = started_at - 1 WHERE principal = ?"],
  ["ahead", "UPDATE audit_anchors SET seq = 3 WHERE principal = ?"],
])("keeps the finding of a row that was %s when its chain is anchored again", async (problem, sql) => {
  await env.DB.prepare(sql).bind(principal).run();
  const object = env.USER_WINDOWS.getByName(principal);
  await object.anchor();
  // Past the record that the row named.
  for (const _ of [1, 2, 3]) {
    const answer = await object.admit(admission(principal));
    if (answer.admitted) await object.settle(settlement(answer.seq));
  }
  await object.anchor();
  expect(await listed()).toMatchObject([{ problem, found_at: expect.any(Number), seq: 8 }]);
  const response = await api(key, "GET", `/audit/${principal}`);
  expect(response.headers.get("x-audit-row-problem")).toBe(problem);
  await response.text();
  const page = await (await admin.request(`/admin/audit/${principal}`)).text();
  expect(page).toContain("somebody changed it");
});

it.each([
  ["ahead", "UPDATE audit_anchors SET seq = seq + 1000 WHERE principal = ?"],
  ["replaced", "UPDATE audit_anchors SET hash = substr(hash, 2) || 'a' WHERE principal = ?"],
])("the list finds a row that is %s of a caller that stopped calling", async (problem, sql) => {
  await env.DB.prepare(sql).bind(principal).run();
  expect(await listed()).toMatchObject([{ problem, seq: 2 }]);
  expect(await anchorRow(principal)).toMatchObject({ seq: 2 });
  expect(await listed()).toMatchObject([{ problem, seq: 2 }]);
});

it("seals a row of an earlier release without reporting it", async () => {
  Object.assign(env, { SECRET_KEY });
  await env.DB.prepare("UPDATE audit_anchors SET seal = NULL WHERE principal = ?").bind(principal).run();
  expect(await listed()).toMatchObject([{ problem: null, found_at: null }]);
  const row = await env.DB.prepare("SELECT seal FROM audit_anchors WHERE principal = ?")
    .bind(principal)
    .first();
  Reflect.deleteProperty(env, "SECRET_KEY");
  expect(row).toEqual({ seal: expect.any(String) });
});

it("checks a long chain in parts and refuses forged progress", async () => {
  const object = env.USER_WINDOWS.getByName(principal);
  await runInDurableObject(object, (_, { storage }) => {
    const log = new AuditLog(createStore(storage.sql));
    for (let index = 0; index < 4_500; index++)
      log.append(
        {
          kind: "decision",
          decision: "closed",
          rules: [],
          incident: null,
          by: "a",
          until: 1,
          allowance: 0,
          note: null,
        },
        Date.now(),
      );
  });
  await evictDurableObject(object);
  const path = `/admin/audit/${principal}`;
  const read = async (query: string) => (await admin.request(`${path}${query}`)).text();
  const nextOf = (page: string) => /\?next=[\w%.-]+/.exec(page)?.[0] ?? "";
  const first = await read("");
  expect(first).toContain("2,000 of 4,502 records checked");
  const second = await read(nextOf(first));
  expect(second).toContain("4,000 of 4,502 records checked");
  expect(await read(nextOf(second))).toContain("4,502 records, unchanged");
  // Another principal's place, or one that was changed, begins at the beginning.
  expect(await read(`${nextOf(second)}A`)).toContain("2,000 of 4,502 records checked");
});

it("an unchanged row has no problem, and an ended chain leaves the index", async () => {
  const response = await api(key, "GET", `/audit/${principal}`);
  expect(response.headers.get("x-audit-row-problem")).toBeNull();
  await response.text();
  const found = await auditIndex(env).find(principal);
  await auditIndex(env).end(principal, (found?.started_at ?? 0) - 1);
  expect(await auditIndex(env).find(principal)).toEqual(found);
  await auditIndex(env).end(principal, found?.started_at ?? 0);
  expect(await auditIndex(env).find(principal)).toBeUndefined();
  // Only D1 lists a chain from before the index existed.
  expect(await listed()).toMatchObject([{ problem: null }]);
});
