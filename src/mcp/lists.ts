import { prompts } from "../prompts/registry.ts";
import { refusalError, refuse } from "../refusal.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import { tools } from "../tools/registry.ts";
import type { Call } from "./call.ts";

// Built once per isolate: making JSON Schema out of zod on every request costs more than the answer.
// Private, because what a list holds may depend on who asks.
const CACHE = { ttlMs: 300_000, cacheScope: "private" as const };
const JSON_TYPE = { mimeType: "application/json" };

const lists = {
  "tools/list": { tools: tools.map(({ definition }) => definition) },
  "prompts/list": { prompts: prompts.map(({ definition }) => definition) },
  "resources/list": {
    resources: resources.map(({ uri, name, title, description }) => ({
      uri,
      name,
      title,
      description,
      ...JSON_TYPE,
    })),
  },
  "resources/templates/list": {
    resourceTemplates: resourceTemplates.map(({ uriTemplate, name, title, description }) => ({
      uriTemplate,
      name,
      title,
      description,
      ...JSON_TYPE,
    })),
  },
};

/** Answers a list, which is one page: a cursor was never given out. */
export function answerList(method: keyof typeof lists) {
  return async (params: Record<string, unknown>, call: Call) => {
    if (params.cursor !== undefined) {
      const { refusal } = refuse("invalid_arguments", "The cursor is not one that was given out.");
      throw refusalError(refusal, call.correlationId);
    }
    return { ...lists[method], ...CACHE };
  };
}
