import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@modelcontextprotocol/client";
import { InsufficientScopeError } from "@modelcontextprotocol/client";
import * as z from "zod";
import type { Verdict } from "../../src/detection/decision.ts";
import { touchedBy } from "../../src/detection/tokens.ts";
import { REFUSAL_META_KEY } from "../../src/refusal.ts";
import { tools } from "../../src/tools/registry.ts";
import { connect } from "../support/callers.ts";
import type { LiveCall } from "./live-attack.ts";

/** The longest wait that a rate limit asks for; a longer one is a flow rule's throttle. */
const RATE_WAIT_MAX_MS = 60_000;

export interface Played {
  /** The verdict as the caller sees it: a flag is silent. */
  action: Verdict;
  /** Distinct people and products that were answered. */
  people_before: number;
  products_before: number;
  calls: number;
  /** The page where a person decides about it; null if nothing asked for a decision. */
  confirm_at: string | null;
}

const refusalSchema = z.object({
  code: z.string(),
  retryAfterMs: z.number().default(Infinity),
  hints: z.object({ confirm_at: z.tuple([z.url()]).optional() }).optional(),
});

/** Makes one call. A refusal is undefined if the call was answered. */
export async function call(client: Client, { tool, arguments: args }: LiveCall) {
  try {
    const { _meta, structuredContent } = await client.callTool({ name: tool, arguments: args });
    return { refusal: refusalSchema.safeParse(_meta?.[REFUSAL_META_KEY]).data, answer: structuredContent };
  } catch (error) {
    // A token without the needed scope is refused before any tool is looked up.
    if (!(error instanceof InsufficientScopeError)) throw error;
    return { refusal: refusalSchema.parse({ code: "permission_denied" }), answer: undefined };
  }
}

/** Codes of refusals that end an attack; it goes on after any other. */
const STOPS: Record<string, Verdict> = {
  rate_limited: "throttle",
  confirmation_required: "confirm",
  flow_blocked: "block",
};

/**
 * Makes the calls list by list, each list at once, until a call is stopped. Waits out every rate limit. Callers that share
 * `people` count those that all of them were answered.
 */
export async function play(
  url: string,
  key: string,
  calls: readonly (readonly LiveCall[])[],
  onCall: () => void = () => {},
  people = new Set<string>(),
): Promise<Played> {
  const client = await connect(url, key);
  const products = new Set<string>();
  let made = 0;
  let confirmAt: string | null = null;

  async function make(next: LiveCall): Promise<Verdict> {
    for (;;) {
      const { refusal, answer } = await call(client, next);
      made += 1;
      onCall();
      const stop = STOPS[refusal?.code ?? ""];
      if (refusal === undefined || stop === undefined) {
        note(next, answer);
        return "allow";
      }
      confirmAt = refusal.hints?.confirm_at?.[0] ?? confirmAt;
      if (refusal.code !== "rate_limited" || refusal.retryAfterMs > RATE_WAIT_MAX_MS) return stop;
      await sleep(refusal.retryAfterMs);
    }
  }

  /** Counts the people and products that the attacker was answered. Its tokens need a key, which is no secret. */
  function note({ tool, arguments: args }: LiveCall, answer: unknown): void {
    const labels = tools.find(({ definition }) => definition.name === tool)?.labels;
    if (labels === undefined || answer === undefined) return;
    const named = touchedBy(labels, "arguments", args, "attack");
    const held = touchedBy(labels, "results", answer, "attack");
    for (const token of [...named.subjects, ...held.subjects]) people.add(token);
    if (labels.classes.includes("catalog")) for (const token of held.objects) products.add(token);
  }

  let action: Verdict = "allow";
  for (const together of calls) {
    const verdicts = await Promise.all(together.map(make));
    action = verdicts.find((verdict) => verdict !== "allow") ?? "allow";
    if (action !== "allow") break;
  }
  await client.close();
  return {
    action,
    people_before: people.size,
    products_before: products.size,
    calls: made,
    confirm_at: confirmAt,
  };
}
