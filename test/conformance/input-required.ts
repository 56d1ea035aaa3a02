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
import type { GuardedCall } from "./fixtures.ts";

// Questions to the client's person, asked in an answer and answered by calling again (2026-07-28, SEP-2322).

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

/** What a form's field was filled with; undefined where the form was not answered. */
export const accepted = (
  { protocol }: GuardedCall,
  key: string,
  field: string,
): string | boolean | undefined => acceptedContent(protocol.mcpReq.inputResponses, key, formSchema)?.[field];

/** Whether a question was answered at all. */
export const answered = ({ protocol }: GuardedCall, key: string): boolean =>
  inputResponse(protocol.mcpReq.inputResponses, key).kind !== "missing";

const stateSchema = z.object({ round: z.int() });
const codec = (secretKey: string) =>
  createRequestStateCodec<z.output<typeof stateSchema>>({ key: `conformance ${secretKey}`, ttlSeconds: 60 });

/** Asks, and seals in the state which round it was. */
export const askInRound = async (
  round: number,
  inputRequests: Questions,
  { secretKey }: GuardedCall,
): Promise<Result> => inputRequired({ inputRequests, requestState: await codec(secretKey).mint({ round }) });

/** The round that came back, 0 where none did. A state that was tampered with is an error. */
export async function roundOf({ protocol, secretKey }: GuardedCall): Promise<number> {
  const sealed: unknown = protocol.mcpReq.requestState();
  if (sealed === undefined) return 0;
  const state = await codec(secretKey)
    .verify(z.string().parse(sealed), protocol)
    .catch(() => undefined);
  if (state === undefined) throw new ProtocolError(-32602, "The requestState is not one that was given out");
  return stateSchema.parse(state).round;
}
