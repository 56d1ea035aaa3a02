import type { ElicitRequestFormParams, Result, ServerContext } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { SuiteRequest } from "./fixtures.ts";

// Tools that ask the client during a call, as in the 2025 revisions. The client answers in a separate request
// that only a session would bring back here, so these four are in the baseline.

type Fixture = (asked: SuiteRequest) => Promise<Result>;

/** Without a session a client's answer never arrives, so the wait is short. */
const WAIT = { timeout: 500 };

const argumentsSchema = z.object({
  arguments: z.object({ prompt: z.string().default(""), message: z.string().default("") }).default({
    prompt: "",
    message: "",
  }),
});

async function elicit(protocol: ServerContext, params: ElicitRequestFormParams): Promise<Result> {
  const { action, content } = await protocol.mcpReq.elicitInput(params, WAIT);
  const text = `Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`;
  return { content: [{ type: "text", text }] };
}

const OPTIONS = ["option1", "option2", "option3"];
const titled = (...titles: string[]) => titles.map((title, index) => ({ const: `value${index + 1}`, title }));

export const sessionTools: Record<string, Fixture> = {
  async test_sampling({ params, protocol }) {
    const text = argumentsSchema.parse(params).arguments.prompt;
    const messages = [{ role: "user" as const, content: { type: "text" as const, text } }];
    const answer = await protocol.mcpReq.requestSampling({ messages, maxTokens: 100 }, WAIT);
    return { content: [{ type: "text", text: `LLM response: ${JSON.stringify(answer.content)}` }] };
  },
  test_elicitation: ({ params, protocol }) =>
    elicit(protocol, {
      message: argumentsSchema.parse(params).arguments.message,
      requestedSchema: {
        type: "object",
        properties: {
          username: { type: "string", description: "User's response" },
          email: { type: "string", description: "User's email address" },
        },
        required: ["username", "email"],
      },
    }),
  test_elicitation_sep1034_defaults: ({ protocol }) =>
    elicit(protocol, {
      message: "Check the defaults",
      requestedSchema: {
        type: "object",
        properties: {
          name: { type: "string", default: "John Doe" },
          age: { type: "integer", default: 30 },
          score: { type: "number", default: 95.5 },
          status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
          verified: { type: "boolean", default: true },
        },
      },
    }),
  test_elicitation_sep1330_enums: ({ protocol }) =>
    elicit(protocol, {
      message: "Choose",
      requestedSchema: {
        type: "object",
        properties: {
          untitledSingle: { type: "string", enum: OPTIONS },
          titledSingle: { type: "string", oneOf: titled("First Option", "Second Option", "Third Option") },
          legacyEnum: {
            type: "string",
            enum: ["opt1", "opt2", "opt3"],
            enumNames: ["Option One", "Option Two", "Option Three"],
          },
          untitledMulti: { type: "array", items: { type: "string", enum: OPTIONS } },
          titledMulti: {
            type: "array",
            items: { anyOf: titled("First Choice", "Second Choice", "Third Choice") },
          },
        },
      },
    }),
};
