import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { mayReach } from "../../src/mcp/access.ts";
import { lists } from "../../src/mcp/shown.ts";
import { scopesOf } from "../../src/identity/scopes.ts";
import type { Policy } from "../../src/policy/schema.ts";

// What a list of tools costs a model, in tokens of o200k_base: every conversation pays it again.

/**
 * The most that a role's list may cost: all that is sent of it. A client hands a model a part of that, most
 * often name, description and input. The catalog's own tools are in every conversation of every shopper.
 */
const TOKENS_MAX: Record<string, number> = { anonymous: 2_400, shopper: 2_400 };
const TOKENS_MAX_ELSE = 6_000;

export interface Cost {
  /** All of what tools/list says of it. */
  whole: number;
  /** Name, description and input schema, which is what the model vendors' APIs take. */
  model: number;
}

/** By tool, in the order that clients see. */
export const costOfTools = (): { name: string; cost: Cost }[] =>
  lists["tools/list"].entries.map(({ shown }) => ({ name: shown.name, cost: costOf(shown) }));

/** By role of the policy: its whole list. */
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

/** Roles whose list costs more than it may. */
export const tooCostly = (policy: Policy): string[] =>
  costOfRoles(policy)
    .filter(({ cost, max }) => cost.whole > max)
    .map(
      ({ role, cost, max }) =>
        `role ${role}: its list of tools costs a model ${cost.whole} tokens, more than ${max}: shorten descriptions, or raise the bound in lab/surface/cost.ts and say why`,
    );

function costOf(definition: { name: string; description: string; inputSchema: object }): Cost {
  const { name, description, inputSchema } = definition;
  return { whole: tokens(definition), model: tokens({ name, description, inputSchema }) };
}

const tokens = (value: object): number => encode(JSON.stringify(value)).length;
