import { UriTemplate } from "@modelcontextprotocol/server";
import { NOWHERE, type Labels } from "../detection/labels.ts";
import { NO_NAME, type Target } from "../guard/target.ts";
import { BASE_SCOPE } from "../identity/scopes.ts";
import { prompts } from "../prompts/registry.ts";
import type { Prompt } from "../prompts/prompt.ts";
import type { Policy } from "../policy/schema.ts";
import type { Refusal } from "../refusal.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import { CARDS_URI } from "../catalog/cards-uri.ts";
import type { Resource, ResourceTemplate } from "../resources/resource.ts";
import { tools } from "../tools/registry.ts";
import { type Tool, askedVersion } from "../tools/tool.ts";
import { forgiveArguments } from "./leniency.ts";

// Looks up targets by name and describes them for the guard.

/** Tools by the name that clients call. */
export type ToolTable = ReadonlyMap<string, Tool>;
export const toolTable = (of: readonly Tool[]): ToolTable =>
  new Map(of.map((tool) => [tool.definition.name, tool]));

export const toolsByName = toolTable(tools);
const promptsByName = new Map(prompts.map((prompt) => [prompt.definition.name, prompt]));
const resourcesByUri = new Map(resources.map((resource) => [resource.uri, resource]));
const templates = resourceTemplates.map((template) => ({
  template,
  pattern: new UriTemplate(template.uriTemplate),
}));

export const findPrompt = (name: string): Prompt | undefined => promptsByName.get(name);

export const findTemplate = (uriTemplate: string): ResourceTemplate | undefined =>
  resourceTemplates.find((template) => template.uriTemplate === uriTemplate);

export type FoundResource = { resource: Resource } | { template: ResourceTemplate; value: string };

/** Returns the resource at a URI: a fixed one, else the first template that matches. */
export function findResource(uri: string): FoundResource | undefined {
  const resource = resourcesByUri.get(uri);
  if (resource !== undefined) return { resource };
  for (const { template, pattern } of templates) {
    const value = pattern.match(uri)?.[template.variable];
    if (typeof value === "string") return { template, value: decode(value) };
  }
  return undefined;
}

export const toolTarget = (tool: Tool | undefined): Target =>
  target("tool", tool?.name, tool && { ...tool, list: "tools" });

export function resourceTarget(found: FoundResource | undefined): Target {
  if (found === undefined) return target("resource", undefined, undefined);
  return "resource" in found
    ? target("resource", found.resource.uri, { ...found.resource, list: "resources" })
    : target("resource", found.template.uriTemplate, { ...found.template, list: "resources" });
}

export const promptTarget = (prompt: Prompt | undefined): Target =>
  target("prompt", prompt?.definition.name, prompt && { ...prompt, scope: BASE_SCOPE, list: "prompts" });

/** Values of a completion. The protocol allows 100, but a caller who needs more can type on. */
export const COMPLETIONS_MAX = 20;

/**
 * A completion continues ids and names, and shows nothing else about them. Ids of objects count as seen, because many
 * completions together list everything there is.
 */
export function completionTarget(of: Target): Target {
  const { arguments: named = [], results = [] } = of.labels?.objects ?? {};
  const namesObjects = named.length + results.length > 0;
  const objects = { arguments: [], results: namesObjects ? ["ids[]"] : [] };
  return {
    ...of,
    kind: "completion",
    labels: { ...COMPLETION_LABELS, objects, classes: of.labels?.classes ?? [] },
  };
}
const COMPLETION_LABELS = {
  kinds: ["source"],
  subjects: NOWHERE,
  cost: { records: COMPLETIONS_MAX, bytes: 4_000 },
} as const;

/**
 * Target of initialize, server/discover and lists. Anyone may connect; a list needs the scope that any use of the
 * server needs.
 */
export const discoveryTarget = (method: string): Target => ({
  kind: "discovery",
  name: method,
  bucket: "discovery",
  access: method.endsWith("/list") ? { scope: BASE_SCOPE } : undefined,
  labels: undefined,
});

/** Target of a read of the cards' page: like a list, it shows no data. */
export const CARDS_TARGET: Target = { ...discoveryTarget("resources/read"), access: { scope: BASE_SCOPE } };

interface Asked {
  method?: string | undefined;
  params?: Record<string, unknown> | undefined;
}

/** Returns a message's target; undefined for a message that the SDK answers itself. */
export function targetOf(table: ToolTable, { method = "", params = {} }: Asked): Target | undefined {
  const named = (name: unknown) => (typeof name === "string" ? name : "");
  switch (method) {
    case "tools/call":
      return toolTarget(table.get(named(params["name"])));
    case "resources/read":
      return params["uri"] === CARDS_URI ? CARDS_TARGET : resourceTarget(findResource(named(params["uri"])));
    case "prompts/get":
      return promptTarget(findPrompt(named(params["name"])));
    case "completion/complete":
      return promptTarget(undefined);
    case "tools/list":
    case "prompts/list":
    case "resources/list":
    case "resources/templates/list":
      return discoveryTarget(method);
    default:
      return undefined;
  }
}

/** Prepares a call of a tool with the arguments as this server reads them (src/mcp/leniency.ts). */
export function prepareCall(tool: Tool, args: unknown, policy: Policy): ReturnType<Tool["prepare"]> {
  const version = askedVersion(tool, args);
  const { inputSchema, annotations } = version.definition;
  const isReadOnly = annotations.readOnlyHint === true;
  return version.prepare(
    forgiveArguments(args, { inputSchema, isReadOnly, ignored: policy.ignored_arguments }),
  );
}

/** Returns the arguments of a message that is refused before dispatch, for its record, and what is wrong with them. */
export function argumentsOf(
  table: ToolTable,
  { method = "", params = {} }: Asked,
  policy: Policy,
): { args: unknown; refused: { arguments?: Refusal } } {
  const { name, uri, arguments: args } = params;
  if (method === "tools/call" && typeof name === "string") {
    const tool = table.get(name);
    if (tool === undefined) return { args: args ?? {}, refused: {} };
    const prepared = prepareCall(tool, args, policy);
    return { args: prepared.args, refused: prepared.work.ok ? {} : { arguments: prepared.work.refusal } };
  }
  const found = method === "resources/read" && typeof uri === "string" ? findResource(uri) : undefined;
  const named = found !== undefined && "template" in found ? { [found.template.variable]: found.value } : {};
  return { args: named, refused: {} };
}

type Declared = {
  scope: Tool["scope"];
  labels: Labels;
  runsAhead?: true | undefined;
  list: "tools" | "resources" | "prompts";
};

function target(kind: Target["kind"], name: string | undefined, declared: Declared | undefined): Target {
  return {
    kind,
    name: name ?? NO_NAME,
    bucket: "calls",
    access:
      name === undefined || declared === undefined
        ? { scope: BASE_SCOPE }
        : { scope: declared.scope, listed: { kind: declared.list, name } },
    labels: declared?.labels,
    runsAhead: declared?.runsAhead,
  };
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
