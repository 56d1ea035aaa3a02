import { randomBytes } from "node:crypto";
import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequest,
  type InputRequiredResult,
  type ServerContext,
  acceptedContent,
  createRequestStateCodec,
  inputResponse,
  inputRequired,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { tokenOf } from "../detection/tokens.ts";
import { digestArguments } from "../guard/redact.ts";
import type { Refusal } from "../refusal.ts";
import type { Agreed } from "../caller/admission.ts";
import type { Call, Retry, Wanted } from "./call.ts";

// Asks a person through the client (2026-07-28, multi round-trip requests). The client returns the `requestState` that
// it was given, so that is signed, expires, works once, and is bound to the principal, the tool and the arguments. An
// answer without such a state is ignored. A form in the client is answered by the person or program that runs it, which
// may be the suspect, so forms are used only for writes after flagged text.

const STATE_S = 600;
const KEY = "confirm";

/** The ways of asking that a client supports. An empty `elicitation` means forms. */
const envelopeSchema = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({
    elicitation: z
      .object({ form: z.looseObject({}).optional(), url: z.looseObject({}).optional() })
      .optional(),
  }),
});
const acceptedSchema = z.object({ [KEY]: z.literal(true) });
const stateSchema = z.object({
  nonce: z.string(),
  /** Whether a form was requested: the state of a link does not validate a form's answer. */
  form: z.boolean(),
  boundTo: z.string(),
  expiresAt: z.int(),
  /** Nobody has agreed to anything read after this time. */
  askedAt: z.int(),
});
type State = z.output<typeof stateSchema>;

/** Reads the fields that the SDK has split off from a message's params. */
export const retryOf = (protocol: ServerContext, secretKey: string): Retry => ({
  envelope: protocol.mcpReq.envelope,
  inputResponses: protocol.mcpReq.inputResponses,
  async openState() {
    const sealed: unknown = protocol.mcpReq.requestState();
    if (typeof sealed !== "string") return undefined;
    return codec(secretKey)
      .verify(sealed, protocol)
      .catch(() => undefined);
  },
});

/** Returns the agreement in a retried call, if its state is valid. */
export async function readAgreement(wanted: Wanted<unknown>, call: Call): Promise<Agreed | undefined> {
  const { retry } = call;
  if (acceptedContent(retry.inputResponses, KEY, acceptedSchema) === undefined) return undefined;
  const parsed = stateSchema.safeParse(await retry.openState());
  if (!parsed.success || !parsed.data.form || parsed.data.boundTo !== binding(wanted, call)) return undefined;
  const { nonce, expiresAt, askedAt } = parsed.data;
  return { nonce, expiresAt, askedAt };
}

/**
 * Returns the request for a person's confirmation, in a mode that the client can show; undefined if it can show none.
 */
export async function askPerson(
  { confirm }: Refusal,
  wanted: Wanted<unknown>,
  call: Call,
): Promise<InputRequiredResult | undefined> {
  const { envelope, inputResponses } = call.retry;
  if (confirm === undefined || envelope === undefined) return undefined;
  // A person who was just asked is not asked again, or the client would loop.
  if (inputResponse(inputResponses, KEY).kind !== "missing") return undefined;
  const { form, url } = modes(envelope);
  const isForm = confirm.form && form;
  if (!isForm && !url) return undefined;
  const state: State = {
    nonce: randomBytes(16).toString("base64url"),
    form: isForm,
    boundTo: binding(wanted, call),
    expiresAt: Date.now() + STATE_S * 1000,
    askedAt: confirm.askedAt,
  };
  return inputRequired({
    inputRequests: { [KEY]: isForm ? askByForm(wanted) : askByLink(confirm.url) },
    requestState: await codec(call.secretKey).mint(state),
  });
}

const askByForm = ({ target }: Wanted<unknown>): InputRequest =>
  inputRequired.elicit({
    message: `A text that was just read came from a third party and reads like an instruction. Did you mean to run ${target.name}?`,
    requestedSchema: {
      type: "object",
      properties: { [KEY]: { type: "boolean", title: `Run ${target.name}`, default: false } },
      required: [KEY],
    },
  });

const askByLink = (url: string): InputRequest =>
  inputRequired.elicitUrl({ message: "A person must sign in on this page and confirm the call.", url });

function modes(envelope: unknown): { form: boolean; url: boolean } {
  const declared = envelopeSchema.safeParse(envelope).data?.[CLIENT_CAPABILITIES_META_KEY].elicitation;
  return {
    form: declared !== undefined && (declared.form !== undefined || declared.url === undefined),
    url: declared?.url !== undefined,
  };
}

const binding = ({ target, args }: Wanted<unknown>, { principal, secretKey }: Call): string =>
  tokenOf(
    "confirmation",
    JSON.stringify([principal.id, target.name, digestArguments(args, secretKey)]),
    secretKey,
  );

const codec = (secretKey: string) =>
  createRequestStateCodec<State>({ key: `request-state ${secretKey}`, ttlSeconds: STATE_S });
