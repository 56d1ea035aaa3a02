import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Plan, SECRET, type Step } from "./plan.ts";
import { withConfig } from "./project.ts";
import { DIGEST_VARIABLE } from "./read-account.ts";
import { wrangler } from "../wrangler.ts";

/** Length of a new SECRET_KEY in random bytes. */
const SECRET_BYTES = 32;
const ASK_MS = 10_000;
const PAUSE_MS = 2_000;

type ReadyPlan = Extract<Plan, { ok: true }>;

/** A step failed; lists the steps that were done before it. */
export class StepFailed extends Error {
  readonly done: readonly Step[];
  constructor(step: Step, done: readonly Step[], cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${step.what} ${step.name}: ${reason}`, { cause });
    this.done = done;
  }
}

/** Carries out the remaining steps. Returns the URLs that wrangler names, or none if nothing was deployed. */
export async function execute(
  { steps, connectStore }: ReadyPlan,
  { digest, say }: { digest: string; say: (text: string) => void },
): Promise<string[]> {
  const done: Step[] = [];
  let targets: string[] = [];
  // The deployment creates the database and the namespace.
  for (const step of steps) {
    try {
      if (step.action === "deploy") {
        say(`Deploying ${step.name}…`);
        const deploy = (config: string) =>
          wrangler(["deploy", "--config", config, "--var", `${DIGEST_VARIABLE}:${digest}`]);
        ({ targets } = await withConfig(connectStore, deploy));
        done.push(...steps.slice(0, steps.indexOf(step)).filter(({ action }) => action !== "keep"), step);
      }
      if (step.action === "make") {
        say(`Making ${SECRET}…`);
        await wrangler(["secret", "put", SECRET], randomBytes(SECRET_BYTES).toString("base64"));
        done.push(step);
      }
    } catch (error) {
      throw new StepFailed(step, done, error);
    }
  }
  return targets;
}

export type Answer = { ok: true } | { ok: false; reason: string };

/**
 * Asks whether the deployed Worker answers. The sign-in page needs every setting and the database, so this
 * request also makes the Worker apply its migrations. A new name or secret takes a while to reach every
 * location.
 */
export async function askWorker(url: string, waitSeconds: number): Promise<Answer> {
  const deadline = Date.now() + waitSeconds * 1_000;
  for (;;) {
    const answer = await askOnce(new URL("/sign-in", url));
    if (answer.ok || Date.now() + PAUSE_MS > deadline) return answer;
    await sleep(PAUSE_MS);
  }
}

async function askOnce(page: URL): Promise<Answer> {
  try {
    const response = await fetch(page, { redirect: "manual", signal: AbortSignal.timeout(ASK_MS) });
    const text = await response.text();
    if (response.ok) return { ok: true };
    return { ok: false, reason: `HTTP ${response.status}: ${text.trim().slice(0, 500)}` };
  } catch {
    return { ok: false, reason: "no answer" };
  }
}
