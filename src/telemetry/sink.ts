import { env, waitUntil } from "cloudflare:workers";
import type { RefusalCode } from "../refusal-codes.ts";
import { within } from "../deadlines.ts";
import { type CallRecord, UNKNOWN, methodOf } from "./call-record.ts";
import { logEvent, logSurprise } from "./log.ts";
import { logCall } from "./lines.ts";
import { observe } from "./metrics/counts.ts";
import { type Apply, Flusher } from "./metrics/flush.ts";
import { HUB_NAME } from "./metrics/hub.ts";
import { countCall } from "./metrics/isolate.ts";
import { pointOf } from "./points.ts";
import { traceFields } from "./trace-context.ts";

// Receives every call and passes it to the log, to Analytics Engine, and to this isolate's counts, which a request
// sends to the metrics hub after its answer. A sink may throw; that never makes a call fail or wait.

/** Tries of one request to send the counts to the hub. The next call's request continues. */
const TRIES = 3;
/** Milliseconds after which the hub counts as out of reach. */
const HUB_DEADLINE_MS = 3_000;

// This isolate's counts. The id is made late, because there is no randomness while a module loads.
let own: Flusher | undefined;
const flusher = (): Flusher => (own ??= new Flusher(crypto.randomUUID()));

const apply: Apply = (delta) =>
  within(HUB_DEADLINE_MS, async () => env.METRICS_HUB.getByName(HUB_NAME).apply(delta));

/** The caller and the target, as far as they are known when a call arrives. */
export type Begun = Pick<
  CallRecord,
  "kind" | "name" | "principal" | "client" | "protocol" | "correlationId" | "trace"
>;

/** Notes that a call has arrived. Only tools have a log line for it, because other calls end at once. */
export function callBegan({ kind, name, principal, client, protocol, correlationId, trace }: Begun): void {
  if (kind !== "tool") return;
  logEvent("tool_invocation_started", {
    correlation_id: correlationId,
    principal,
    client,
    protocol,
    ...traceFields(trace),
    "mcp.method.name": methodOf({ kind, name }),
    tool_name: name,
  });
}

/** Notes that a call has ended. */
export function callEnded(record: CallRecord): void {
  for (const [what, tell] of SINKS) {
    try {
      tell(record);
    } catch (error) {
      logSurprise(error, { correlation_id: record.correlationId, what });
    }
  }
}

const SINKS: readonly [what: string, tell: (record: CallRecord) => void][] = [
  ["log", logCall],
  [
    "analytics",
    (record) => {
      // Undefined if a deployment has no Analytics Engine.
      const points: AnalyticsEngineDataset | undefined = env.EVENTS;
      points?.writeDataPoint(pointOf(record));
    },
  ],
  [
    "metrics",
    (record) => {
      countCall(flusher().counts, record);
      const waitMs = flusher().plan(Date.now());
      if (waitMs !== undefined) waitUntil(flushLater(waitMs));
    },
  ],
];

/** Notes a request that was refused before a call was read from it. */
export function requestRefused(
  code: RefusalCode,
  { correlationId, principal = UNKNOWN }: { correlationId: string; principal?: string | undefined },
): void {
  callEnded({
    kind: "request",
    name: UNKNOWN,
    outcome: code,
    ran: false,
    durationMs: 0,
    resultBytes: 0,
    records: 0,
    protocol: "unsaid",
    client: "",
    principal,
    verdicts: [],
    degraded: false,
    correlationId,
    trace: {},
    arguments: {},
  });
}

/** Runs `work` and observes its duration, whether it succeeds or not. */
export async function timed<T>(
  what: "d1" | "admit" | "settle" | "nonce",
  work: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    const seconds = (performance.now() - started) / 1000;
    const { counts } = flusher();
    if (what === "d1") observe(counts, "mcp_d1_duration_seconds", [], seconds);
    else observe(counts, "mcp_durable_object_duration_seconds", [what], seconds);
  }
}

/** Sends this isolate's counts to the hub at once. */
export const flushNow = (): Promise<boolean> => flusher().flush(apply, Date.now());

async function flushLater(waitMs: number): Promise<void> {
  let wait: number | undefined = waitMs;
  for (let tries = 0; tries < TRIES && wait !== undefined; tries++) {
    await scheduler.wait(wait);
    if (await flushNow()) return;
    wait = flusher().plan(Date.now());
  }
}
