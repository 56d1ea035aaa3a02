import { prompts } from "../prompts/registry.ts";
import { RESOURCE_TYPE } from "../resources/resource.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import { tools } from "../tools/registry.ts";
import type { Target } from "../guard/target.ts";
import type { Tool } from "../tools/tool.ts";
import { promptTarget, resourceTarget, toolTarget } from "./targets.ts";

const TYPE = { mimeType: RESOURCE_TYPE };

/** The entries of one list, each with its target, and the member of the answer that holds them. */
export interface List {
  key: string;
  entries: readonly { shown: object; target: Target }[];
}

export const shownTools = (of: readonly Tool[]) =>
  of.map((tool) => ({ shown: tool.definition, target: toolTarget(tool) }));

/**
 * All list entries and who may see them (src/mcp/access.ts). Built once per isolate, because making JSON Schema from
 * zod on every request costs more than the answer.
 */
export const lists = {
  "tools/list": {
    key: "tools",
    entries: shownTools(tools),
  },
  "prompts/list": {
    key: "prompts",
    entries: prompts.map((prompt) => ({ shown: prompt.definition, target: promptTarget(prompt) })),
  },
  "resources/list": {
    key: "resources",
    entries: resources.map((resource) => {
      const { uri, name, title, description } = resource;
      return { shown: { uri, name, title, description, ...TYPE }, target: resourceTarget({ resource }) };
    }),
  },
  "resources/templates/list": {
    key: "resourceTemplates",
    entries: resourceTemplates.map((template) => {
      const { uriTemplate, name, title, description } = template;
      const shown = { uriTemplate, name, title, description, ...TYPE };
      return { shown, target: resourceTarget({ template, value: "" }) };
    }),
  },
};
