import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { mayReach } from "../../src/mcp/access.ts";
import { lists } from "../../src/mcp/shown.ts";
import { scopesOf } from "../../src/identity/scopes.ts";
import type { Policy } from "../../src/policy/schema.ts";

// Counts the tokens (o200k_base) that a list of tools costs a model. Every conversation pays them again.

/**
 * The most tokens that a role's full list may cost. Clients hand a model a part of it, usually name,
 * description and input. The catalog's own tools are in every conversation of every shopper. Three of them have two versions
 * until the older ones end: 950 tokens. Variants, sales and links of a product take 1,200. An admin has the
 * tools of every role. The address of the card's page is 13 tokens in each of three tools.
 */
const TOKENS_MAX: Record<string, number> = { anonymous: 4_300, shopper: 4_300, admin: 10_950 };
const TOKENS_MAX_ELSE = 7_700;

export interface Cost {
  /** Everything that tools/list says about it. */
  whole: number;
  /** Name, description and input schema: the part that model vendors' APIs accept. */
  model: number;
}

/** Cost by tool, in the order that clients see. */
export const costOfTools = (): { name: string; cost: Cost }[] =>
  lists["tools/list"].entries.map(({ shown }) => ({ name: shown.name, cost: costOf(shown) }));

/** Cost of the whole list, by role of the policy. */
export function costOfRoles(policy: Policy): { role: string; tools: number; cost: Cost; max: number }[] {
  return Object.keys(policy.roles).map((role) => {
    const principal = {
      id: role,
      kind: "user" as const,
      via: "key" as const,
      roles: [role],
      scopes: scopesOf([role]),
    };
    const seen = lists["tools/list"].entries.filter(({ target }) => mayReach({ policy, principal }, target));
    const costs = seen.map(({ shown }) => costOf(shown));
    const sum = (part: keyof Cost) => costs.reduce((total, cost) => total + cost[part], 0);
    const max = TOKENS_MAX[role] ?? TOKENS_MAX_ELSE;
    return { role, tools: seen.length, max, cost: { whole: sum("whole"), model: sum("model") } };
  });
}

/** Roles whose list costs more than allowed. */
export const tooCostly = (policy: Policy): string[] =>
  costOfRoles(policy)
    .filter(({ cost, max }) => cost.whole > max)
    .map(
      ({ role, cost, max }) =>
        `role ${role}: the list of tools costs a model ${cost.whole} tokens, more than ${max}. Shorten descriptions, or raise the bound in lab/surface/cost.ts and say why`,
    );

function costOf(definition: { name: string; description: string; inputSchema: object }): Cost {
  const { name, description, inputSchema } = definition;
  return { whole: tokens(definition), model: tokens({ name, description, inputSchema }) };
}

const tokens = (value: object): number => encode(JSON.stringify(value)).length;
