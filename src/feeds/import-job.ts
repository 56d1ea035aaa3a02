import { ForCommand } from "../catalog/import/read/notes.ts";
import { Undecided } from "../catalog/import/read/survey.ts";
import { gzipProblem } from "../catalog/import/read/source.ts";
import { clip, plainLine } from "../text/plain-text.ts";
import type { Delivery } from "./feed-state.ts";
import { type Allowance, Pace } from "./pace.ts";
import type { DeliveryReport } from "./report.ts";
import { DatabaseFailed } from "./run-import.ts";
import { StorageFailed } from "./stored-bytes.ts";

/**
 * The allowance of one wake. D1 takes 1,000 statements of one wake; the largest step has about 150. Reading 1 MiB takes a
 * second of processor time, or ten if its rows are short and bad; a wake has 30.
 */
const ALLOWANCE: Allowance = { statements: 300, bytes: 1024 * 1024 };

const PROBLEM_MAX = 500;

/** How an import ended. `interrupted`: D1 or the storage of files failed, and it can be run again. */
export type JobResult =
  | { status: "read"; report: DeliveryReport; isApplied: boolean }
  | { status: "asks"; question: NonNullable<Delivery["question"]> }
  | { status: "interrupted"; error: Error }
  | { status: "unreadable"; problem: string };

/** An import that goes on over several wakes. A reset of the object ends it. */
export class ImportJob {
  readonly delivery: string;
  readonly #pace = new Pace(ALLOWANCE);
  readonly #result: Promise<JobResult>;

  constructor(
    delivery: string,
    work: (pace: Pace) => Promise<{ report: DeliveryReport; isApplied: boolean }>,
  ) {
    this.delivery = delivery;
    this.#result = work(this.#pace).then((read): JobResult => ({ status: "read", ...read }), failureOf);
  }

  /** Lets the import go on for one wake. Returns undefined if it has not ended. */
  wake(): Promise<JobResult | undefined> {
    return Promise.race([this.#result, this.#pace.wake().then(() => undefined)]);
  }

  /** Ends the import at its next step. */
  stop(): void {
    this.#pace.stop(new Error("The feed was removed."));
  }
}

function failureOf(error: unknown): JobResult {
  if (error instanceof DatabaseFailed || error instanceof StorageFailed)
    return { status: "interrupted", error };
  if (error instanceof Undecided) return { status: "asks", question: { asks: error.asks, text: error.text } };
  const message =
    gzipProblem(error) ??
    (error instanceof ForCommand ? error.text : error instanceof Error ? error.message : String(error));
  // It may quote the file.
  return { status: "unreadable", problem: clip(plainLine(message), PROBLEM_MAX) };
}
