/**
 * The smallest form of a command; "" runs the command as it stands. `codes` are the accepted exit codes; the
 * default is 0.
 */
export interface RunForm {
  run: string;
  codes?: number[];
}
/**
 * A command that never ends: it is started, must print `prints`, and is ended. `send` goes to its standard
 * input.
 */
export interface StartForm {
  starts: string;
  prints: string;
  send?: string;
}
export type Form =
  | RunForm
  | StartForm
  /** Another documented command whose form covers this one. */
  | { like: string }
  /** A test that runs it, or .ci/run. */
  | { ranBy: string }
  /** Why nothing runs it. */
  | { notRun: string };

export const ACCOUNT = { notRun: "needs an account" };
export const AS_IT_STANDS: RunForm = { run: "" };
