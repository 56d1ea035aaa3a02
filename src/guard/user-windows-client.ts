import * as z from "zod";
import { timed } from "../telemetry/sink.ts";
import type {
  AdmissionAnswer,
  AdmissionRequest,
  Settlement,
  SettlementAnswer,
} from "../windows/admission.ts";
import type { NonceAnswer, Spent } from "../windows/nonces.ts";
import type { UserWindows } from "../windows/user-windows.ts";

export type Windows = DurableObjectNamespace<UserWindows>;

/** Milliseconds after which a Durable Object counts as out of reach. */
const DEADLINE_MS = 3_000;

/** The caller's Durable Object could not be reached, or did not answer in time. */
export class Unreachable extends Error {}

export const askAdmission = (windows: Windows, request: AdmissionRequest): Promise<AdmissionAnswer> =>
  timed("admit", () =>
    reach<AdmissionAnswer>(async () => windows.getByName(request.principal).admit(request)),
  );

/** `isAwaited`: a caller waits for it. Where none does there is no deadline either, as its timer is a tenth of what it costs. */
export const sendSettlement = (
  windows: Windows,
  principal: string,
  settlement: Settlement,
  isAwaited: boolean,
): Promise<SettlementAnswer> =>
  timed("settle", () =>
    reach<SettlementAnswer>(
      async () => windows.getByName(principal).settle(settlement),
      isAwaited ? (call) => inTime(call) : (call) => call(),
    ),
  );

export const consumeNonce = (windows: Windows, principal: string, spent: Spent): Promise<NonceAnswer> =>
  timed("nonce", () => reach<NonceAnswer>(async () => windows.getByName(principal).consumeNonce(spent)));

/**
 * Calls an object; once more, with a new stub, where the error says that it may pass. An overloaded one
 * is left alone: more calls would keep it so.
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function reach<T>(
  call: () => Promise<T>,
  attempt: (call: () => Promise<T>) => Promise<T> = (each) => inTime(each),
): Promise<T> {
  try {
    return await attempt(call);
  } catch (error) {
    const passes = has(error, "retryable") && !has(error, "overloaded");
    // The object's own code threw: it was reached, and nothing goes on without its word.
    if (has(error, "remote") && !passes && !has(error, "overloaded")) throw error;
    if (!passes) throw new Unreachable("", { cause: error });
  }
  try {
    return await attempt(call);
  } catch (error) {
    throw new Unreachable("", { cause: error });
  }
}

/** Throws where `call` has no answer in `deadlineMs`. */
export async function inTime<T>(call: () => Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const flags = z.object({
  retryable: z.boolean().optional(),
  overloaded: z.boolean().optional(),
  remote: z.boolean().optional(),
});

function has(error: unknown, flag: keyof z.output<typeof flags>): boolean {
  return flags.safeParse(error).data?.[flag] === true;
}
