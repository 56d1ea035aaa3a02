/** The server's HTTP answer. */
export interface Answer {
  status: number;
  contentType: string;
  text: string;
}

/** Sends a body to the server. Throws UnreachableError, or the signal's abort reason. */
export type Call = (body: string, headers: Record<string, string>, signal: AbortSignal) => Promise<Answer>;

/** No answer came; the call may still have been carried out. */
export class UnreachableError extends Error {}

/** Milliseconds until an answer is given up. Above the longest deadline that the Worker can have (src/env.ts). */
export const ANSWER_MS = 30_000;
