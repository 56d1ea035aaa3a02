import { ensureMigrated, isMigrated } from "../database/migrate.ts";
import { readSettings } from "../env.ts";
import { bundledPolicy } from "../policy/bundled.ts";
import { READY_MS } from "../http/begin-request.ts";
import { secretKeyOf } from "../setup/secret-key.ts";
import { Deadline } from "../deadlines.ts";
import { causeOf } from "../unreachable.ts";
import type { Part } from "./parts.ts";
import { causeText, logEvent } from "../telemetry/log.ts";

/** An answer is reused for this long: the path needs no token, and must not be a way to keep D1 busy. Milliseconds. */
export const FRESH_MS = 1_000;
const POLL_MS = 25;

export type Readiness = { ready: true } | { ready: false; part: Part };
type Bindings = Pick<Env, "DB" | "USER_WINDOWS" | "SERVER_SETUP">;

let last: { at: number; answer: Readiness } | undefined;
let checkingSince: number | undefined;

/** A probe's own name and time. */
interface Probe {
  correlationId?: string;
  deadline: Deadline;
}

/**
 * Whether this deployment can serve calls, at most FRESH_MS old; of the requests that ask at one time, one looks. Throws
 * RequestOver when another's look does not end in time.
 */
export async function readiness(
  env: Env,
  probe: Probe = { deadline: new Deadline(READY_MS) },
): Promise<Readiness> {
  const configured = checkSettings(env);
  if (!configured.ready) return configured;
  // The answer of another request's look can't be awaited in workerd, only looked for.
  while (isFresh(last?.at, FRESH_MS) || isFresh(checkingSince, READY_MS)) {
    if (last !== undefined && isFresh(last.at, FRESH_MS)) return last.answer;
    await probe.deadline.run(() => scheduler.wait(POLL_MS));
  }
  checkingSince = Date.now();
  try {
    const answer = await look(env, probe);
    last = { at: Date.now(), answer };
    return answer;
  } finally {
    checkingSince = undefined;
  }
}

function isFresh(since: number | undefined, forMs: number): boolean {
  if (since === undefined) return false;
  const age = Date.now() - since;
  // Negative where the clock was set back: an answer must not stay fresh until it has caught up.
  return age >= 0 && age < forMs;
}

function checkSettings(env: Env): Readiness {
  const read = readSettings(env);
  if (!read.ok) return { ready: false, part: "settings" };
  return bundledPolicy.ok ? { ready: true } : { ready: false, part: "policy" };
}

async function look(env: Bindings, probe: Probe): Promise<Readiness> {
  const answers = await Promise.all([
    lookAtSecret(env, probe),
    lookAtDatabase(env.DB, probe),
    lookAtObject(env.USER_WINDOWS, probe),
  ]);
  return answers.find(({ ready }) => !ready) ?? { ready: true };
}

async function lookAtSecret(env: Bindings, probe: Probe): Promise<Readiness> {
  try {
    await probe.deadline.run(() => secretKeyOf(env));
    return { ready: true };
  } catch (error) {
    return notReady("secret", causeOf(error), probe);
  }
}

async function lookAtDatabase(db: D1Database, probe: Probe): Promise<Readiness> {
  try {
    const migrated = await probe.deadline.run(async () => {
      // A deployment that nobody has called yet is brought up to date here, or it would never be sent a call.
      await ensureMigrated(db);
      return isMigrated(db);
    });
    return migrated ? { ready: true } : notReady("schema", "a migration is not in the ledger", probe);
  } catch (error) {
    const asked = probe.deadline.run(async () => db.prepare("SELECT 1").first());
    const answers = await asked.then(
      () => true,
      () => false,
    );
    return notReady(answers ? "schema" : "database", error, probe);
  }
}

async function lookAtObject(callers: Bindings["USER_WINDOWS"], probe: Probe): Promise<Readiness> {
  try {
    // No principal's: ids hold no slash.
    await probe.deadline.run(async () => callers.getByName("/readyz").ping());
    return { ready: true };
  } catch (error) {
    return notReady("durable_object", error, probe);
  }
}

function notReady(part: Part, error: unknown, { correlationId }: Probe): Readiness {
  logEvent("not_ready", { correlation_id: correlationId, part, error: causeText(error) });
  return { ready: false, part };
}
