import { ATTACK_NAMES, generateTraces } from "../generate-traces/families.ts";
import type { Trace } from "../../cli/replay/read-traces.ts";
import { type LiveCall, translator } from "./translate.ts";
import type { World } from "./world.ts";

interface LiveAttack {
  role: "support" | "shopper";
  /** The calls of one inner list are made at once. */
  calls: LiveCall[][];
}

/** Attacks that only exist live, because traces hold no text and no planted record. */
const LIVE_ONLY: Record<string, (world: World) => LiveAttack> = {
  canary: ({ canary }) => ({
    role: "support",
    calls: [[{ tool: "get_customer", arguments: { customer_id: canary } }]],
  }),
  "tainted-write": ({ tickets }) => {
    if (tickets === undefined)
      throw new Error("This support desk has no ticket with an injected instruction.");
    return {
      role: "support",
      calls: [
        [{ tool: "get_ticket", arguments: { ticket_id: tickets.injected } }],
        [{ tool: "close_ticket", arguments: { ticket_id: tickets.open, resolution: "Refunded" } }],
      ],
    };
  },
};

export const LIVE_FAMILIES: readonly string[] = [...ATTACK_NAMES, ...Object.keys(LIVE_ONLY)];

/** Builds a family's calls about the records of a server; the same for the same seed. */
export function attackCalls(family: string, seed: number, world: World): LiveAttack {
  const own = LIVE_ONLY[family];
  if (own !== undefined) return own(world);
  const [trace] = [...generateTraces(family, 1, seed)];
  if (trace === undefined) throw new Error(`There is no attack named ${family}.`);
  return { role: trace.principal.role === "shopper" ? "shopper" : "support", calls: grouped(trace, world) };
}

function grouped({ calls }: Trace, world: World): LiveCall[][] {
  const translate = translator(world);
  return [...Map.groupBy(calls, ({ at_ms }) => at_ms).values()].map((together) => together.map(translate));
}
