import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { openIncidentsOf } from "../../../src/incidents/incident-list.ts";
import { writeIncident } from "../../../src/incidents/incident-rows.ts";
import type { Incident } from "../../../src/incidents/incident-record.ts";
import { api } from "../identity/support/admin-api.ts";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { keyOf } from "../identity/support/people.ts";
import { incidentOf } from "../support/incident.ts";

// There are as many anonymous callers as network addresses, and each can cause an incident.

const STRANGERS = 130;
const USERS = 120;
const NOW = Date.now();
const throttled = (index: number, principal: string, rule = "catalog-guessing"): Incident =>
  incidentOf({
    id: `${rule.slice(0, 6)}${String(index).padStart(16, "0")}`,
    principal,
    rule,
    verdict: "throttle",
    last_at: NOW + index,
  });
const id = (name: string) => name.padEnd(22, "0");

const waiting = incidentOf({ id: id("waiting"), principal: "thief", last_at: NOW - 1_000 });
const blocked = incidentOf({
  id: id("blocked"),
  principal: "anon-blocked",
  rule: "ids",
  verdict: "block",
  severity: "high",
  last_at: NOW,
});
const planted = incidentOf({
  id: id("planted"),
  principal: "insider",
  rule: "planted",
  verdict: "flag",
  severity: "critical",
  last_at: NOW - 2_000,
});
const decided = incidentOf({
  id: id("decided"),
  principal: "long-ago",
  severity: "critical",
  status: "closed",
  decided_at: NOW,
});
const other = throttled(999, "anon-other", "crawl");

let key: string;
let admin: Browser;
beforeAll(async () => {
  await ensureMigrated(env.DB);
  for (const each of [decided, waiting, blocked, planted, other]) await writeIncident(env.DB, each);
  for (let index = 1; index <= STRANGERS; index++)
    await writeIncident(env.DB, throttled(index, `anon-${index}`));
  for (let index = 1; index <= USERS; index++)
    await writeIncident(env.DB, throttled(index + 1_000, `user-${index}`));
  key = await keyOf(["admin"]);
  admin = await signedIn(key);
});

/** Returns the caller of each row of a dashboard page; the rule if a row stands for many. */
async function rowsOn(path: string) {
  const html = await (await admin.request(path)).text();
  const rows = Array.from(
    html.matchAll(/<li id="(?:incident-[^"]*|folded-([\w-]+))".*?<\/li>/gs),
    ([row, rule]) => rule ?? /href="\/admin\/callers\/([\w-]+)"/.exec(row)?.[1],
  );
  const next = /href="([^"]*)">Next page/.exec(html)?.[1]?.replaceAll("&amp;", "&");
  return { html, rows, next };
}

const listSchema = z.object({
  incidents: z.array(z.record(z.string(), z.string().nullable())),
  next: z.string().nullable(),
});
const listOf = async (query: string) =>
  listSchema.parse(await (await api(key, "GET", `/incidents${query}`)).json());

it("lists incidents that need a decision first, known callers before others, and many throttles as one row", async () => {
  const { rows, html } = await rowsOn("/admin");
  expect(rows.slice(0, 4)).toEqual(["insider", "thief", "anon-blocked", `user-${USERS}`]);
  expect(html).toContain(`View all ${STRANGERS + USERS + 4} open incidents`);
  const first = await rowsOn("/admin/incidents");
  expect(first.rows.slice(0, 3)).toEqual(["insider", "thief", "anon-blocked"]);
  expect(first.rows).toHaveLength(100);
  const second = await rowsOn(first.next ?? "");
  // A row that would stand for one caller names that caller.
  expect(second.rows.slice(-3)).toEqual(["user-1", "anon-other", "catalog-guessing"]);
  expect(second.html).toContain(`${STRANGERS} anonymous callers`);
  expect(second.next).toBeUndefined();
  expect(new Set([...first.rows, ...second.rows]).size).toBe(USERS + 5);
});

it("the API has the same rows, page by page, and the incidents behind a summary row", async () => {
  const first = await listOf("?limit=50");
  expect(first.incidents.slice(0, 3).map(({ principal }) => principal)).toEqual([
    "insider",
    "thief",
    "anon-blocked",
  ]);
  const all = [...first.incidents];
  for (let { next } = first; next !== null;) {
    const page = await listOf(`?limit=50&after=${next}`);
    all.push(...page.incidents);
    next = page.next;
  }
  expect(all.slice(-3)).toMatchObject([
    { principal: "anon-other", callers: null },
    { principal: "anon-*", rule: "catalog-guessing", callers: String(STRANGERS) },
    { principal: "long-ago", status: "closed" },
  ]);
  expect(all).toHaveLength(USERS + 6);
  const folded = await listOf("?folded=catalog-guessing&limit=1000");
  expect(folded.incidents).toHaveLength(STRANGERS);
  expect(folded.incidents[0]?.["principal"]).toBe(`anon-${STRANGERS}`);
  expect((await listOf("?which=open&limit=1000")).incidents).toHaveLength(USERS + 5);
});

it("a list of decided incidents begins after the summary row", async () => {
  const { rows } = await rowsOn("/admin/incidents?which=all");
  expect(rows[0]).toBe("insider");
  expect((await listOf("?limit=1000")).incidents.at(-1)?.["principal"]).toBe("long-ago");
});

it("decided and deleted incidents are no longer counted", async () => {
  const open = async () => /All ([\d,]+) open incidents/.exec((await rowsOn("/admin")).html)?.[1];
  const before = Number(await open());
  const last = throttled(STRANGERS, `anon-${STRANGERS}`);
  await writeIncident(env.DB, { ...last, status: "closed", decided_at: NOW });
  await writeIncident(env.DB, { ...last, status: "closed", decided_at: NOW + 1 });
  await env.DB.prepare("DELETE FROM incidents WHERE id = ?").bind(other.id).run();
  expect(Number(await open())).toBe(before - 2);
  const { incidents } = await listOf("?which=open&limit=1000");
  expect(incidents.at(-1)).toMatchObject({ callers: String(STRANGERS - 1) });
  expect(await openIncidentsOf(env.DB, last.principal)).toEqual([]);
});

it.each(["0", "x", "W10", "bnVsbA"])("an invalid cursor, %s, returns the first page", async (cursor) => {
  expect((await rowsOn(`/admin/incidents?after=${cursor}`)).rows[0]).toBe("insider");
  expect(await api(key, "GET", `/incidents?after=${cursor}`)).toMatchObject({ status: 400 });
});
