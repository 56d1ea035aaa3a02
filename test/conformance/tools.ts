import { setTimeout as sleep } from "node:timers/promises";
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  type Result,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { SuiteRequest } from "./fixtures.ts";
import { accepted, answered, ask, askInRound, form, roots, roundOf, sampling } from "./input-required.ts";
import { PNG, WAV } from "./media.ts";
import { sessionTools } from "./sessions.ts";

type Fixture = (asked: SuiteRequest) => Result | Promise<Result>;

const says = (text: string): Result => ({ content: [{ type: "text", text }] });
const metaSchema = z.object({ progressToken: z.union([z.string(), z.number()]).optional() }).optional();
const capabilitiesSchema = z
  .object({ [CLIENT_CAPABILITIES_META_KEY]: z.record(z.string(), z.unknown()).default({}) })
  .optional();
const declaredBy = (protocol: ServerContext) =>
  capabilitiesSchema.parse(protocol.mcpReq.envelope)?.[CLIENT_CAPABILITIES_META_KEY] ?? {};

const content: Record<string, Fixture> = {
  test_simple_text: () => says("This is a simple text response for testing."),
  test_image_content: () => ({ content: [{ type: "image", ...PNG }] }),
  test_audio_content: () => ({ content: [{ type: "audio", ...WAV }] }),
  test_embedded_resource: () => ({
    content: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
  }),
  test_multiple_content_types: () => ({
    content: [
      { type: "text", text: "Multiple content types test:" },
      { type: "image", ...PNG },
      {
        type: "resource",
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: JSON.stringify({ test: "data", value: 123 }),
        },
      },
    ],
  }),
  test_error_handling: () => ({
    isError: true,
    content: [{ type: "text", text: "This tool intentionally returns an error for testing" }],
  }),
};

/** Tools that send messages beside their answer. */
const notices: Record<string, Fixture> = {
  async test_tool_with_logging({ protocol }) {
    for (const text of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await protocol.mcpReq.log("info", text);
      await sleep(50);
    }
    return says("Logged.");
  },
  async test_logging_tool({ protocol }) {
    await protocol.mcpReq.log("info", "Only for who asked for it");
    return says("Logged.");
  },
  async test_tool_with_progress({ protocol }) {
    const progressToken = metaSchema.parse(protocol.mcpReq._meta)?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        const params = { progressToken, progress, total: 100 };
        await protocol.mcpReq.notify({ method: "notifications/progress", params });
      }
      await sleep(50);
    }
    return says("Done.");
  },
};

/** Tools that ask the user or the client's model. */
const questions: Record<string, Fixture> = {
  test_missing_capability({ protocol }) {
    if ("sampling" in declaredBy(protocol)) return ask({ sample: sampling("Anything") });
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  },
  test_streaming_elicitation: () => ask({ user_name: form("What is your name?", "name") }),

  test_input_required_result_elicitation(asked) {
    const name = accepted(asked, "user_name", "name");
    return name === undefined
      ? ask({ user_name: form("What is your name?", "name") })
      : says(`Hello, ${name}!`);
  },
  test_input_required_result_sampling: (asked) =>
    answered(asked, "capital_question")
      ? says(JSON.stringify(asked.protocol.mcpReq.inputResponses))
      : ask({ capital_question: sampling("What is the capital of France?") }),
  test_input_required_result_list_roots: (asked) =>
    answered(asked, "client_roots")
      ? says(JSON.stringify(asked.protocol.mcpReq.inputResponses))
      : ask({ client_roots: roots() }),
  async test_input_required_result_request_state(asked) {
    return (await roundOf(asked)) === 1 && accepted(asked, "confirm", "ok") !== undefined
      ? says("state-ok")
      : askInRound(1, { confirm: form("Please confirm", "ok", { type: "boolean" }) }, asked);
  },
  async test_input_required_result_tampered_state(asked) {
    return (await roundOf(asked)) === 1
      ? says("state-ok")
      : askInRound(1, { confirm: form("Please confirm", "ok", { type: "boolean" }) }, asked);
  },
  async test_input_required_result_multiple_inputs(asked) {
    const wanted = {
      user_name: form("What is your name?", "name"),
      greeting: sampling("Generate a greeting", 50),
      client_roots: roots(),
    };
    const isWhole = Object.keys(wanted).every((key) => answered(asked, key));
    return (await roundOf(asked)) === 1 && isWhole ? says("All answered.") : askInRound(1, wanted, asked);
  },
  async test_input_required_result_multi_round(asked) {
    const round = await roundOf(asked);
    if (round === 1 && answered(asked, "step1")) {
      return askInRound(2, { step2: form("Step 2: What is your favorite color?", "color") }, asked);
    }
    if (round === 2 && answered(asked, "step2")) return says("Both answered.");
    return askInRound(1, { step1: form("Step 1: What is your name?", "name") }, asked);
  },
  test_input_required_result_capabilities({ protocol }) {
    const declared = declaredBy(protocol);
    return ask({
      ...("sampling" in declared && { sample: sampling("Anything") }),
      ...("elicitation" in declared && { user_name: form("What is your name?", "name") }),
    });
  },
};

const fixtures: Record<string, Fixture> = { ...content, ...notices, ...questions, ...sessionTools };

export const tools = Object.keys(fixtures).map((name) => ({
  name,
  description: "A fixture of the suite",
  inputSchema: { type: "object" },
}));

export function callTool(name: string, asked: SuiteRequest): Result | Promise<Result> {
  const fixture = Object.hasOwn(fixtures, name) ? fixtures[name] : undefined;
  if (fixture === undefined) throw new ProtocolError(-32602, "Unknown tool");
  return fixture(asked);
}
