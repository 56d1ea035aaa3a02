import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import * as z from "zod";
import type { Verdict } from "../../src/detection/decision.ts";
import { touchedBy } from "../../src/detection/tokens.ts";
import { REFUSAL_META_KEY } from "../../src/refusal.ts";
import { tools } from "../../src/tools/registry.ts";
import type { LiveCall } from "./translate.ts";

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
  retryAfterMs: z.number().optional(),
  hints: z.object({ confirm_at: z.tuple([z.url()]).optional() }).optional(),
});
// The attacker's own count needs a key, but the key is not secret.
const KEY = "the attacker's own count of what it was answered";

/** Makes the calls list by list, each list at once, until a call is stopped. Waits out every rate limit. */
export async function play(
  url: string,
  key: string,
  calls: readonly (readonly LiveCall[])[],
  onProgress: (done: number, waitingMs: number) => void,
): Promise<Played> {
  const client = new Client(
    { name: "product-catalog-mcp lab attack", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }));
  const people = new Set<string>();
  const products = new Set<string>();
  let made = 0;
  let confirmAt: string | null = null;

  async function make({ tool, arguments: args }: LiveCall): Promise<Verdict> {
    for (;;) {
      const result = await client.callTool({ name: tool, arguments: args });
      made += 1;
      const refusal = refusalSchema.safeParse(result._meta?.[REFUSAL_META_KEY]).data;
      if (refusal === undefined || !(refusal.code in STOPS)) {
        note(tool, args, result.structuredContent);
        return "allow";
      }
      const { code, retryAfterMs = Infinity, hints } = refusal;
      confirmAt = hints?.confirm_at?.[0] ?? confirmAt;
      if (code !== "rate_limited" || retryAfterMs > RATE_WAIT_MAX_MS) return STOPS[code] ?? "block";
      onProgress(made, retryAfterMs);
      await sleep(retryAfterMs);
    }
  }

  function note(tool: string, args: unknown, answer: unknown): void {
    const labels = tools.find(({ definition }) => definition.name === tool)?.labels;
    if (labels === undefined || answer === undefined) return;
    const [named, held] = [
      touchedBy(labels, "arguments", args, KEY),
      touchedBy(labels, "results", answer, KEY),
    ];
    for (const token of [...named.subjects, ...held.subjects]) people.add(token);
    if (labels.classes.includes("catalog")) for (const token of held.objects) products.add(token);
  }

  let action: Verdict = "allow";
  for (const together of calls) {
    const verdicts = await Promise.all(together.map(make));
    onProgress(made, 0);
    const stopped = verdicts.find((verdict) => verdict !== "allow");
    if (stopped === undefined) continue;
    action = stopped;
    break;
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

const STOPS: Record<string, Verdict> = {
  rate_limited: "throttle",
  confirmation_required: "confirm",
  flow_blocked: "block",
};
