import { setTimeout as sleep } from "node:timers/promises";
import type { Plan, Step } from "./plan.ts";
import { withConfig } from "./project.ts";
import { DIGEST_VARIABLE } from "./read-account.ts";
import { wrangler } from "../wrangler.ts";

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
    } catch (error) {
      throw new StepFailed(step, done, error);
    }
  }
  return targets;
}

/** `isNew`: the Worker has no admin yet, and shows its setup page. */
export type Answer = { ok: true; isNew: boolean } | { ok: false; reason: string };

/**
 * Asks whether the deployed Worker answers. The setup page needs every setting, the secret key and the database, so this
 * request also makes the Worker make its key and apply its migrations. A new name takes a while to reach every location.
 */
export async function askWorker(url: string, waitSeconds: number): Promise<Answer> {
  const deadline = Date.now() + waitSeconds * 1_000;
  for (;;) {
    const answer = await askOnce(new URL("/setup", url));
    if (answer.ok || Date.now() + PAUSE_MS > deadline) return answer;
    await sleep(PAUSE_MS);
  }
}

/** The setup page's status once there is an admin. */
const SET_UP = 409;

async function askOnce(page: URL): Promise<Answer> {
  try {
    const response = await fetch(page, { redirect: "manual", signal: AbortSignal.timeout(ASK_MS) });
    const text = await response.text();
    if (response.ok || response.status === SET_UP) return { ok: true, isNew: response.ok };
    return { ok: false, reason: `HTTP ${response.status}: ${text.trim().slice(0, 500)}` };
  } catch {
    return { ok: false, reason: "no answer" };
  }
}
