import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { anchorOf, closeAnchor, writeAnchor } from "../../../src/caller/audit/anchors.ts";
import { writeIncident } from "../../../src/incidents/incident-rows.ts";
import type { Incident } from "../../../src/incidents/incident-record.ts";
import { incidentOf } from "../support/incident.ts";
import { DAY_MS, admission, newObject } from "../support/admission.ts";

const NOW = 1_800_000_000_000;
const OLD = NOW - policyInForce().retention.audit_days * DAY_MS;
/** More than are deleted at a time. */
const MANY = 150;

beforeEach(async () => {
  await ensureMigrated(env.DB);
  await env.DB.batch(["incidents", "audit_anchors"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const open = incidentOf({ id: "open" });
const closed = (id: string, decided_at: number): Incident => ({ ...open, id, status: "closed", decided_at });

async function anchored(principal: string, closedAt: number | undefined): Promise<void> {
  const chain = { principal, startedAt: 1, checkpoint: { seq: 0, hash: "" } };
  const anchor = anchorOf(chain, { seq: 1, hash: "" }, 1);
  await writeAnchor(env.DB, anchor, { lastHitAt: null, isMostlyRefused: false }, undefined);
  if (closedAt !== undefined) await closeAnchor(env.DB, chain, closedAt);
}

const left = async () => ({
  incidents: (await env.DB.prepare("SELECT id FROM incidents ORDER BY id").raw<[string]>()).flat(),
  anchors: (await env.DB.prepare("SELECT principal FROM audit_anchors ORDER BY 1").raw<[string]>()).flat(),
});

it("deletes incidents that ended too long ago, a few at each alarm, and no open one", async () => {
  await writeIncident(env.DB, open);
  await writeIncident(env.DB, closed("late", OLD + 10 * 60_000));
  await anchored("open", undefined);
  await anchored("late", OLD + 10 * 60_000);
  for (let index = 0; index < MANY; index++) {
    await writeIncident(env.DB, closed(`old-${index}`, OLD - 1));
    await anchored(`old-${index}`, OLD - 1);
  }
  const { principal, object } = newObject();
  const counts = [];
  for (let round = 0; round < 3; round++) {
    vi.setSystemTime(NOW + round);
    await object.admit(admission(principal, { refused: { permission: "permission_denied" } }));
    vi.setSystemTime(NOW + (round + 1) * 60_000);
    await runDurableObjectAlarm(object);
    const { incidents, anchors } = await left();
    counts.push([incidents.length, anchors.length]);
  }
  expect(counts).toEqual([
    [52, 53],
    [2, 3],
    [2, 3],
  ]);
  expect(await left()).toEqual({ incidents: ["late", "open"], anchors: ["late", principal, "open"] });
});
