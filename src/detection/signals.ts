import type { FlowResult } from "./event.ts";

/** Facts about an answer that the flow detector needs beside its content. They go to the guard, never to the caller. */
export type Signals = Pick<FlowResult, "records" | "missed" | "tainted" | "canary"> & {
  /** Ids that were asked for and do not exist, as the caller wrote them. */
  missing?: readonly string[] | undefined;
  /** Ids of people in the answer whom it is the caller's task to deal with. */
  explained?: readonly string[] | undefined;
};

/** The result of a tool, resource or prompt: the value for the caller, the signals for the guard. */
export interface Answered<T> {
  value: T;
  signals: Signals;
  /** The value in which the labels find their ids, if it differs from what the caller is shown. */
  measured?: Record<string, unknown>;
  /** `_meta` of the result: for the page that shows it, not for the model. */
  meta?: Record<string, unknown>;
}

/** Every answer gives `records`; other signals are exceptions. The guard scans the answer's texts itself. */
export const answered = <T>(value: T, signals: Pick<Signals, "records"> & Partial<Signals>): Answered<T> => ({
  value,
  signals: { missed: false, tainted: false, canary: false, ...signals },
});
