import type { FlowResult } from "./event.ts";

/** What the flow detector learns of an answer beside its content. It goes to the guard, never to the caller. */
export type Signals = Pick<FlowResult, "records" | "missed" | "tainted" | "canary"> & {
  /** Ids that were asked for and do not exist, as the caller wrote them. */
  missing?: readonly string[] | undefined;
};

/** What a tool, resource or prompt answers: the value for the caller, the signals for the guard. */
export interface Answered<T> {
  value: T;
  signals: Signals;
  /** What the labels find their ids in, where the caller is shown less than what they name. */
  measured?: Record<string, unknown>;
}

/** `records` is for every answer to say; the rest is the exception. What an answer's own texts say, the path scans by itself. */
export const answered = <T>(value: T, signals: Pick<Signals, "records"> & Partial<Signals>): Answered<T> => ({
  value,
  signals: { missed: false, tainted: false, canary: false, ...signals },
});
