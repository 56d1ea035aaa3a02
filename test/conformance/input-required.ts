import {
  type InputRequest,
  ProtocolError,
  type Result,
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { SuiteRequest } from "./fixtures.ts";

// Questions to the user, asked in a result and answered when the client calls again (2026-07-28, SEP-2322).

type Questions = Record<string, InputRequest>;

/** A form with one required field. */
export const form = (
  message: string,
  field: string,
  schema: { type: "string" } | { type: "boolean" } = { type: "string" },
): InputRequest =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: "object", properties: { [field]: schema }, required: [field] },
  });

export const sampling = (text: string, maxTokens = 100): InputRequest =>
  inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens });

export const roots = (): InputRequest => inputRequired.listRoots();

export const ask = (inputRequests: Questions): Result => inputRequired({ inputRequests });

const formSchema = z.record(z.string(), z.union([z.string(), z.boolean()]));

/** Returns the value of a form's field; undefined if the form was not answered. */
export const accepted = (
  { protocol }: SuiteRequest,
  key: string,
  field: string,
): string | boolean | undefined => acceptedContent(protocol.mcpReq.inputResponses, key, formSchema)?.[field];

/** Whether a question was answered. */
export const answered = ({ protocol }: SuiteRequest, key: string): boolean =>
  inputResponse(protocol.mcpReq.inputResponses, key).kind !== "missing";

const stateSchema = z.object({ round: z.int() });
const codec = (secretKey: string) =>
  createRequestStateCodec<z.output<typeof stateSchema>>({ key: `conformance ${secretKey}`, ttlSeconds: 60 });

/** Asks a question, and seals the number of the round in the state. */
export const askInRound = async (
  round: number,
  inputRequests: Questions,
  { secretKey }: SuiteRequest,
): Promise<Result> => inputRequired({ inputRequests, requestState: await codec(secretKey).mint({ round }) });

/** Returns the round that came back, or 0 if none did. Throws if the state was tampered with. */
export async function roundOf({ protocol, secretKey }: SuiteRequest): Promise<number> {
  const sealed: unknown = protocol.mcpReq.requestState();
  if (sealed === undefined) return 0;
  const state = await codec(secretKey)
    .verify(z.string().parse(sealed), protocol)
    .catch(() => undefined);
  if (state === undefined) throw new ProtocolError(-32602, "The requestState is not one that was given out");
  return stateSchema.parse(state).round;
}
