import { afterEach, beforeEach, expect, inject, vi } from "vitest";
import * as z from "zod";
import { call, newAddress, send } from "../support/clients.ts";

export const PROFILE = "https://agent.example/.well-known/ucp";
export const META = { "ucp-agent": { profile: PROFILE } };

/** The answer of the agent's server, which a test may change. */
export type Publish = (request: Request) => Response | Promise<Response>;

export const profileOf = (version: string, capabilities: readonly string[]) => ({
  ucp: {
    version,
    services: {},
    capabilities: Object.fromEntries(capabilities.map((name) => [name, [{ version }]])),
    payment_handlers: {},
  },
});

export const WHOLE = profileOf("2026-08-25", [
  "dev.ucp.shopping.catalog.search",
  "dev.ucp.shopping.catalog.lookup",
  "dev.ucp.shopping.checkout",
]);

/** Answers the Worker's requests to *.example in each test of a file. */
export function publishProfiles(publish: Publish = () => Response.json(WHOLE)): void {
  const elsewhere = globalThis.fetch;
  beforeEach(() => {
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      return new URL(request.url).hostname.endsWith(".example") ? publish(request) : elsewhere(input, init);
    });
  });
  afterEach(() => void vi.restoreAllMocks());
}

const answerSchema = z.object({
  result: z
    .looseObject({
      content: z.tuple([z.object({ type: z.literal("text"), text: z.string() })]),
      structuredContent: z.looseObject({}),
    })
    .optional(),
  error: z.looseObject({ code: z.int(), data: z.looseObject({ code: z.string() }) }).optional(),
});

/** Calls a tool of the UCP endpoint as an agent does, with plain JSON; anonymous without headers. */
export async function askUcp(
  tool: string,
  catalog: unknown,
  headers: Record<string, string> = {},
  meta: unknown = META,
) {
  const request = call(tool, { meta, catalog });
  const response = await send("/ucp/mcp", {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": newAddress(), ...headers },
    body: JSON.stringify(request),
  });
  const answer: unknown = await response.json();
  const { result, error } = answerSchema.parse(answer);
  return { request, response, answer, error, value: result?.structuredContent, content: result?.content };
}

/** Expects that every value fits its published schema, such as `ucp.json#/$defs/base`. */
export async function expectToFit(pairs: { schema: string; value: unknown }[]): Promise<void> {
  const response = await fetch(inject("schemaServer"), { method: "POST", body: JSON.stringify(pairs) });
  const problems = z.array(z.string()).parse(await response.json());
  expect(problems.length).toBe(pairs.length);
  expect(
    problems.flatMap((problem, index) => (problem === "" ? [] : [{ problem, ...pairs[index] }])).slice(0, 3),
  ).toEqual([]);
}
