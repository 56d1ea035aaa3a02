import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { writeIncident } from "../../../src/windows/incident-rows.ts";
import type { Incident } from "../../../src/windows/incidents.ts";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { bearer, send } from "../identity/support/deployed.ts";
import { keyOf } from "../identity/support/people.ts";

// Callers without a name are as many as there are network addresses, and each can set off an incident.

const MANY = 130;
const NOW = Date.now();
const incident = (index: number, more: Partial<Incident>): Incident => ({
  id: `incident${String(index).padStart(14, "0")}`,
  principal: `anonymous-${index}`,
  rule: "catalog-guessing",
  rule_version: 1,
  verdict: "throttle",
  severity: "low",
  tool: "get_product",
  observed: 61,
  threshold: 60,
  window_ms: 600_000,
  events: [index],
  first_at: NOW,
  last_at: NOW + index,
  count: 1,
  status: "open",
  correlation_id: null,
  decided_by: null,
  decided_at: null,
  note: null,
  ...more,
});

let admin: Browser;
beforeAll(async () => {
  await ensureMigrated(env.DB);
  const grave = incident(0, {
    principal: "insider",
    severity: "critical",
    verdict: "block",
    last_at: NOW - 1,
  });
  const closed = incident(MANY, { principal: "long-ago", severity: "critical", status: "closed" });
  await writeIncident(env.DB, grave);
  await writeIncident(env.DB, closed);
  for (let index = 1; index < MANY; index++) await writeIncident(env.DB, incident(index, {}));
  admin = await signedIn(await keyOf(["admin"]));
});

const principalsOn = async (path: string) => {
  const html = await (await admin.request(path)).text();
  return {
    html,
    principals: Array.from(html.matchAll(/href="\/admin\/callers\/([\w-]+)"/g), ([, id]) => id),
  };
};

it("a grave one stands before any number of small ones that came later", async () => {
  expect((await principalsOn("/admin")).principals[0]).toBe("insider");
  expect((await principalsOn("/admin/incidents")).principals[0]).toBe("insider");
  const response = await send("/admin/api/incidents", { headers: bearer(await keyOf(["admin"])) });
  const { incidents } = z
    .object({ incidents: z.array(z.object({ principal: z.string() })) })
    .parse(await response.json());
  expect(incidents[0]?.principal).toBe("insider");
});

it("all are counted, and stand on one page or the next", async () => {
  expect((await principalsOn("/admin")).html).toContain(`All ${MANY} open incidents`);
  const pages = await Promise.all([1, 2, 3].map((page) => principalsOn(`/admin/incidents?page=${page}`)));
  expect(pages.map(({ principals }) => principals.length)).toEqual([100, MANY - 100, 0]);
  expect(new Set(pages.flatMap(({ principals }) => principals)).size).toBe(MANY);
  expect((await principalsOn("/admin/incidents?which=all&page=2")).principals.at(-1)).toBe("long-ago");
});

it.each(["0", "-1", "x", "1e99", "1.5"])("page %s is the first", async (page) => {
  expect((await principalsOn(`/admin/incidents?page=${page}`)).principals[0]).toBe("insider");
});
