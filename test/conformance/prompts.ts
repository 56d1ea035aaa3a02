import { ProtocolError, type Result } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { SuiteRequest } from "./fixtures.ts";
import { accepted, ask, form } from "./input-required.ts";
import { PNG } from "./media.ts";

const argumentsSchema = z.object({ arguments: z.record(z.string(), z.string()).default({}) });

type Content = { type: string } & Record<string, unknown>;
interface Fixture {
  arguments?: string[];
  get(args: Record<string, string>, asked: SuiteRequest): Result;
}

const says = (...contents: Content[]): Result => ({
  messages: contents.map((content) => ({ role: "user", content })),
});
const text = (value: string): Content => ({ type: "text", text: value });

const fixtures: Record<string, Fixture> = {
  test_simple_prompt: { get: () => says(text("This is a simple prompt for testing.")) },
  test_prompt_with_arguments: {
    arguments: ["arg1", "arg2"],
    get: ({ arg1, arg2 }) => says(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  test_prompt_with_embedded_resource: {
    arguments: ["resourceUri"],
    get: ({ resourceUri: uri }) =>
      says(
        {
          type: "resource",
          resource: { uri, mimeType: "text/plain", text: "Embedded resource content for testing." },
        },
        text("Please process the embedded resource above."),
      ),
  },
  test_prompt_with_image: {
    get: () => says({ type: "image", ...PNG }, text("Please analyze the image above.")),
  },
  test_input_required_result_prompt: {
    get(_, asked) {
      const given = accepted(asked, "user_context", "context");
      return given === undefined
        ? ask({ user_context: form("What context should the prompt use?", "context") })
        : says(text(`The context is ${given}.`));
    },
  },
};

export const prompts = Object.entries(fixtures).map(([name, fixture]) => ({
  name,
  description: "A fixture of the suite",
  arguments: (fixture.arguments ?? []).map((each) => ({ name: each, description: each, required: true })),
}));

export function getPrompt(name: string, asked: SuiteRequest): Result {
  const fixture = Object.hasOwn(fixtures, name) ? fixtures[name] : undefined;
  if (fixture === undefined) throw new ProtocolError(-32602, "Prompt not found");
  return fixture.get(argumentsSchema.parse(asked.params).arguments, asked);
}
