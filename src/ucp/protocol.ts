import * as z from "zod";
import { type Answered, answered } from "../detection/signals.ts";
import { type Outcome, ok } from "../refusal.ts";
import type { CallContext } from "../call-context.ts";

// The parts of the Universal Commerce Protocol that all answers share.

export const VERSION = "2026-08-25";
export const SEARCH = "dev.ucp.shopping.catalog.search";
export const LOOKUP = "dev.ucp.shopping.catalog.lookup";
export type Capability = typeof SEARCH | typeof LOOKUP;

const version = z.literal(VERSION);
const envelopeSchema = z.strictObject({
  version,
  capabilities: z
    .record(z.string(), z.array(z.strictObject({ version: z.string() })))
    .describe("What both sides support, of what this answer is about"),
});

/** Business outcomes, as far as this server reports any. */
const messageSchema = z.union([
  z.strictObject({ type: z.enum(["info", "warning"]), code: z.string(), content: z.string() }),
  z.strictObject({
    type: z.literal("error"),
    code: z.string(),
    content: z.string(),
    severity: z.enum(["recoverable", "unrecoverable"]),
  }),
]);
export type UcpMessage = z.output<typeof messageSchema>;

const failureSchema = z.strictObject({
  ucp: z.strictObject({ ...envelopeSchema.shape, status: z.literal("error") }),
  messages: z.array(messageSchema),
});
type Failure = z.output<typeof failureSchema>;

/** Returns the schema of an answer with these fields, or of the reason why there is none. */
export const answerSchema = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.union([
    z.strictObject({ ucp: envelopeSchema, ...shape, messages: z.array(messageSchema).optional() }),
    failureSchema,
  ]);

/** The members of every answer that is no failure. */
export interface Answering {
  ucp: z.output<typeof envelopeSchema>;
}

/**
 * Runs the work of a call for the agent with this profile. An agent without the capability is told so in the answer, as the
 * protocol asks.
 */
export async function forAgent<T>(
  profile: string,
  capability: Capability,
  { agents }: CallContext,
  work: (answering: Answering) => Promise<Outcome<Answered<T | Failure>>>,
): Promise<Outcome<Answered<T | Failure>>> {
  const negotiated = await agents.negotiate(profile, capability);
  if (!negotiated.ok) return negotiated;
  if (!negotiated.value)
    return ok(
      answered(
        failure({}, "capabilities_incompatible", `The agent's profile lacks ${capability} of ${VERSION}.`),
        { records: 0 },
      ),
    );
  return work({ ucp: { version: VERSION, capabilities: only(capability) } });
}

const only = (capability: Capability) => ({ [capability]: [{ version: VERSION }] });

/** Returns the answer to a call that found nothing. The agent must not repeat it. */
export const notFound = (content: string, { ucp }: Answering): Failure =>
  failure(ucp.capabilities, "not_found", content);

const failure = (capabilities: Answering["ucp"]["capabilities"], code: string, content: string): Failure => ({
  ucp: { version: VERSION, status: "error", capabilities },
  messages: [{ type: "error", code, content, severity: "unrecoverable" }],
});

/** Returns the messages as an answer's optional member. */
export const withMessages = (messages: UcpMessage[]): { messages?: UcpMessage[] } =>
  messages.length === 0 ? {} : { messages };
