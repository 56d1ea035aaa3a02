import { prompts } from "../prompts/registry.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import { everyVersion, tools } from "../tools/registry.ts";
import type { Tool } from "../tools/tool.ts";
import { promptTarget, resourceTarget, toolTarget } from "./targets.ts";

/** A deprecated version is listed without its output schema, because every conversation pays for what is listed. */
function shownOf({ definition, deprecated }: Tool): Omit<Tool["definition"], "outputSchema"> {
  const { outputSchema, ...shown } = definition;
  return { ...shown, ...(deprecated === undefined && { outputSchema }) };
}

const JSON_TYPE = { mimeType: "application/json" };

/**
 * All list entries and who may see them (src/mcp/access.ts). Built once per isolate, because making JSON Schema from
 * zod on every request costs more than the answer.
 */
export const lists = {
  "tools/list": {
    key: "tools",
    entries: everyVersion(tools).map((tool) => ({ shown: shownOf(tool), target: toolTarget(tool) })),
  },
  "prompts/list": {
    key: "prompts",
    entries: prompts.map((prompt) => ({ shown: prompt.definition, target: promptTarget(prompt) })),
  },
  "resources/list": {
    key: "resources",
    entries: resources.map((resource) => {
      const { uri, name, title, description } = resource;
      return { shown: { uri, name, title, description, ...JSON_TYPE }, target: resourceTarget({ resource }) };
    }),
  },
  "resources/templates/list": {
    key: "resourceTemplates",
    entries: resourceTemplates.map((template) => {
      const { uriTemplate, name, title, description } = template;
      const shown = { uriTemplate, name, title, description, ...JSON_TYPE };
      return { shown, target: resourceTarget({ template, value: "" }) };
    }),
  },
};
