import { prompts } from "../prompts/registry.ts";
import { RESOURCE_TYPE } from "../resources/resource.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import { tools } from "../tools/registry.ts";
import { promptTarget, resourceTarget, toolTarget } from "./targets.ts";

const TYPE = { mimeType: RESOURCE_TYPE };

/**
 * All list entries and who may see them (src/mcp/access.ts). Built once per isolate, because making JSON Schema from
 * zod on every request costs more than the answer.
 */
export const lists = {
  "tools/list": {
    key: "tools",
    entries: tools.map((tool) => ({ shown: tool.definition, target: toolTarget(tool) })),
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
