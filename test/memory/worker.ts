import { admit, detectorOf, settle } from "../../src/detection/detector.ts";
import { FlowState } from "../../src/detection/state/state.ts";
import { policyInForce } from "../../src/policy/bundled.ts";
import { WINDOW_ENTRIES_MAX } from "../../src/policy/schema.ts";
import { AuditLog } from "../../src/caller/audit/audit-log.ts";
import { CallerIncidents } from "../../src/caller/caller-incidents.ts";
import { INCIDENTS_MAX } from "../../src/incidents/incident-record.ts";
import { RecentCalls } from "../../src/caller/retries/recent-calls.ts";
import { RateWindows } from "../../src/caller/rate/rate-windows.ts";
import { charge } from "../../src/caller/rate/sliding-window.ts";
import type { Store } from "../../src/caller/store.ts";
import { CONTEXT, START, callOf, resultOf } from "../node/detection/support/calls.ts";

// Measures how much one caller can make its Durable Object hold in memory: many objects share an isolate's
// 128 MB.

const CODES = ["invalid_arguments", "unknown_tool", "permission_denied", "rate_limited", "not_found"];

/** SQLite's memory is not V8's, so stored data does not count here. */
const store: Store = {
  state: () => undefined,
  saveState: () => {},
  last: () => undefined,
  append: () => {},
  chargedSince: () => [],
  newest: () => [],
  attemptsOf: () => [],
  lastHitBehind: () => undefined,
  incidentIds: () => [],
  withHits: () => [],
  adminEvents: () => [],
  adminEventOf: () => undefined,
  attemptsSince: () => [],
  outcomeOf: () => undefined,
  noteAdminEvent: () => {},
  recordsBehind: () => [],
  lines: () => [],
  lastBefore: () => undefined,
  prune: () => {},
  oldestAt: () => undefined,
  attempt: () => undefined,
  hasFlow: () => false,
  flowRows: () => [],
  flowAt: () => 0,
  saveFlow: () => {},
  incidents: () => [],
  saveIncident: () => {},
  dropIncident: () => {},
  openRepeats: () => [],
  saveRepeats: () => {},
  dropRepeats: () => {},
};

const rules = policyInForce().rules.map((rule) => ({ ...rule, mode: "shadow" as const }));
const detector = detectorOf(rules);

/** Builds all state of a caller who does everything at once and whom no rule stops. */
function flooded(principal: string) {
  const log = new AuditLog(store);
  log.begin(principal, 1, START);
  const windows = new RateWindows(store, log);
  const recent = new RecentCalls(store, log.openRepeats);
  const attempt = {
    kind: "attempt" as const,
    target: "tool" as const,
    name: "search_products",
    decision: "admitted",
    weight: 1,
    roles: ["support"],
    digest: "a digest",
    arguments: JSON.stringify({ query: "x".repeat(200), cursor: "y".repeat(200) }),
    protocol: "2026-07-28",
    client: "c".repeat(100),
    catalog_size: 1,
    hits: [],
  };
  for (let index = 0; index < WINDOW_ENTRIES_MAX; index++) {
    const now = START + index;
    const bucket = index % 4 === 0 ? ("discovery" as const) : ("calls" as const);
    charge(windows.window(bucket, 60_000, now), 1, now);
    const correlation_id = crypto.randomUUID();
    const flow = { ...callOf(), objects: Array.from({ length: 100 }, (_, n) => `${index}-${n}-token`) };
    const { classes, kinds, subjects, objects, neighbourhoods, cost, unnamed } = flow;
    const seen = { classes, kinds, subjects, objects, neighbourhoods, cost, unnamed };
    recent.note({ ...attempt, correlation_id }, { admitted: true, seq: index });
    if (index < 8) log.append({ ...attempt, bucket, correlation_id, flow: seen }, now);
    const decision = CODES[index % CODES.length] ?? "";
    log.fold({ ...attempt, bucket, correlation_id, flow: null, decision }, 60_000, now);
  }

  const flow = new FlowState(rules);
  for (let index = 0; index < 400; index++) {
    const id = `${principal}/${index}abcdefgh`.slice(0, 12);
    const isPersonal = index % 2 === 0;
    const call = callOf({
      at: START + index * 20_000,
      attempt: index + 1,
      classes: isPersonal ? ["identity", "contact", "orders", "payment"] : ["catalog"],
      subjects: isPersonal ? [`s${id}`] : [],
      objects: [`o${id}`, `p${id}`, `q${id}`],
      neighbourhoods: [`n${id}`],
    });
    admit(flow, detector, call, CONTEXT);
    if (index % 3 > 0) settle(flow, detector, call, resultOf(call));
    flow.forgetChanges();
  }

  const incidents = new CallerIncidents(store);
  for (let index = 0; index < INCIDENTS_MAX; index++) {
    const hit = {
      rule: `rule-${index}`,
      version: 1,
      mode: "enforce" as const,
      verdict: "confirm" as const,
      observed: index,
      threshold: 1,
      window: 60_000,
      events: Array.from({ length: 32 }, (_, event) => event),
    };
    incidents.note(
      { verdict: "confirm", hits: [hit] },
      { principal, tool: "get_customer", correlationId: crypto.randomUUID() },
      START + index,
    );
  }
  return { log, windows, recent, flow, incidents };
}

const held: unknown[] = [];

export default {
  fetch(request: Request): Response {
    const count = Number(new URL(request.url).searchParams.get("callers"));
    for (let index = 0; index < count; index++) held.push(flooded(`caller-${held.length}`));
    return new Response(String(held.length));
  },
};
