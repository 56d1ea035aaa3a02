import { type Labels, isPersonal } from "../../src/detection/labels.ts";
import { SCOPES } from "../../src/identity/scopes.ts";
import type { ParsedPolicy, Policy, PolicyProblem } from "../../src/policy/schema.ts";
import { prompts } from "../../src/prompts/registry.ts";
import { resourceTemplates, resources } from "../../src/resources/registry.ts";
import { allTools } from "../../src/ucp/registry.ts";

/** Everything that a policy can name, by the list that names it. */
const known: Record<"tools" | "resources" | "prompts", Map<string, Labels>> = {
  tools: new Map(allTools.map((tool) => [tool.name, tool.labels])),
  resources: new Map([
    ...resources.map(({ uri, labels }) => [uri, labels] as const),
    ...resourceTemplates.map(({ uriTemplate, labels }) => [uriTemplate, labels] as const),
  ]),
  prompts: new Map(prompts.map((prompt) => [prompt.definition.name, prompt.labels])),
};

/** Actions of the dashboard whose arguments the audit can show. */
const ACTIONS = new Set(["admin.stock.undo"]);

/**
 * Returns the problems of a policy: wrong shape, unknown names, and tools that must not run without the
 * guard.
 */
export function problemsOf(parsed: ParsedPolicy): PolicyProblem[] {
  return parsed.ok ? [...unknownNames(parsed.policy), ...unsafe(parsed.policy)] : parsed.problems;
}

function unknownNames({ roles, weights, redact }: Policy): PolicyProblem[] {
  const anywhere = new Set(Object.values(known).flatMap((map) => [...map.keys()]));
  const listed = Object.entries(roles).flatMap(([role, entry]) => [
    ...(["tools", "resources", "prompts"] as const).flatMap((kind) =>
      entry[kind].map((name) => ({ path: `roles.${role}.${kind}`, name, exists: known[kind].has(name) })),
    ),
    ...entry.scopes.map((name) => ({
      path: `roles.${role}.scopes`,
      name,
      exists: Object.hasOwn(SCOPES, name),
    })),
  ]);
  const named = [
    ...Object.keys(weights).map((name) => ({ path: "weights", name })),
    ...Object.keys(redact.except)
      .filter((name) => !ACTIONS.has(name))
      .map((name) => ({ path: "redact.except", name })),
  ].map((each) => ({ ...each, exists: anywhere.has(each.name) }));
  return [...listed, ...named]
    .filter(({ exists }) => !exists)
    .map(({ path, name }) => ({ path, reason: `there is no "${name}"` }));
}

/** Tools that read personal data or write must never run without the guard. */
function unsafe({ fail_open }: Policy): PolicyProblem[] {
  return fail_open.targets.flatMap((name) => {
    const labels = Object.values(known).flatMap((map) => map.get(name) ?? []);
    const path = "fail_open.targets";
    if (labels.length === 0) return [{ path, reason: `there is no "${name}"` }];
    const guarded = labels.some((each) => isPersonal(each) || each.kinds.some((kind) => kind !== "source"));
    return guarded
      ? [{ path, reason: `"${name}" does more than read public data, so it must not run without the guard` }]
      : [];
  });
}
