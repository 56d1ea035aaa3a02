import type { CallToolResult, InputRequiredResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import type { Policy } from "../policy/schema.ts";
import { type Outcome, refusalError, refusalResult, refuse } from "../refusal.ts";
import type { ToolAnswer } from "../tools/tool.ts";
import { type Call, type Measured, type Wanted, attempt, seenIn, seenInRefusal } from "./call.ts";
import { askPerson, readAgreement } from "./confirm.ts";
import { ReadAhead } from "./read-ahead.ts";
import { type ToolTable, prepareCall, toolTarget, toolsByName } from "./targets.ts";

/**
 * Answers a tools/call. The principal is already known (src/identity/oauth.ts). `refuseAs` says whether the refusal of a call
 * is a tool result, which a model reads, or a JSON-RPC error.
 */
export async function callTool(
  params: unknown,
  call: Call,
  tools: ToolTable = toolsByName,
  refuseAs: "result" | "error" = "result",
): Promise<CallToolResult | InputRequiredResult> {
  const wanted = readToolCall(params, tools, call.policy);
  const agreed = await readAgreement(wanted, call);
  const answer = await takePath(call, { ...wanted, agreed }, measureAnswer);
  if (answer.ok) {
    const { structuredContent, text, meta } = answer.value;
    return { content: [{ type: "text", text }], structuredContent, ...(meta && { _meta: meta }) };
  }
  const question = await askPerson(answer.refusal, wanted, call);
  if (question !== undefined) return question;
  if (wanted.isCall && refuseAs === "result") return refusalResult(answer.refusal, call.correlationId);
  throw refusalError(answer.refusal, call.correlationId);
}

/**
 * The path of every call to a tool, resource, prompt or completion: the guard, the work within the request's deadline,
 * then the settlement with the answer. A public read may begin beside the guard; a refusal never waits for it. All refusals
 * are values. A call is settled even if its client disconnects.
 */
export const takePath = <T>(
  call: Call,
  wanted: Wanted<T>,
  measured: (answer: T) => Measured,
): Promise<Outcome<T>> => call.deadline.keep(() => followPath(call, wanted, measured));

async function followPath<T>(
  call: Call,
  { target, args, work, agreed, measure }: Wanted<T>,
  measured: (answer: T) => Measured,
): Promise<Outcome<T>> {
  const { correlationId, guard, context, trace, deadline } = call;
  const refused = work.ok ? {} : { arguments: work.refusal };
  const size = measure && (() => deadline.run(() => measure(context)));
  const ahead = work.ok ? new ReadAhead(work.value, context) : undefined;
  const runAhead = ahead && (() => ahead.begin());
  const guarded = { correlationId, target, args, refused, agreed, trace, size, runAhead };
  const admission = await guard.admit(guarded);
  if (!admission.ok) return admission;
  call.noteAdmitted();
  // The guard has already recorded the refusal of work that cannot start.
  if (!work.ok) return work;

  const run = work.value;
  const { pageMax } = admission.value;
  // The read ahead did not know the limit of its page.
  const read = pageMax === undefined ? ahead?.begun : undefined;
  const started = read?.startedAt ?? performance.now();
  const answer = await attempt(call, target.name, () => read?.answer ?? run({ ...context, pageMax }));

  const settled = await admission.value.settle({
    outcome: answer.ok ? "ok" : answer.refusal.code,
    durationMs: performance.now() - started,
    ...(answer.ok ? seenIn(measured(answer.value)) : seenInRefusal(answer.refusal)),
  });
  return settled.ok ? answer : settled;
}

const measureAnswer = ({ measured, signals }: ToolAnswer): Measured => ({
  answer: measured,
  ...signals,
});

const paramsSchema = z.object({
  name: z.string().max(200),
  arguments: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * `isCall` is true for a call of an existing tool: its refusal is a tool result; any other refusal is a protocol error.
 */
function readToolCall(
  params: unknown,
  tools: ToolTable,
  policy: Policy,
): Wanted<ToolAnswer> & { isCall: boolean } {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) return { target: toolTarget(undefined), args: {}, work: envelope, isCall: false };
  const { name, arguments: args } = envelope.value;
  const tool = tools.get(name);
  const target = toolTarget(tool);
  return tool === undefined
    ? { target, args: args ?? {}, work: unknownTool, isCall: false }
    : { target, ...prepareCall(tool, args, policy), isCall: true };
}

// Does not repeat the name: it is the caller's text, and a model would read it as the server's.
const unknownTool = refuse("unknown_tool", "There is no tool of that name.");
