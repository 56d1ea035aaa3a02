import type { FlowCall, FlowResult } from "../../src/detection/event.ts";
import type { RateEvent } from "./rate.ts";
import type { Release } from "../../src/detection/state/releases.ts";

/** One call as it was made and what it answered. */
export interface RecordedCall {
  call: FlowCall;
  result: FlowResult;
  /** People and products that the answer held, by whatever names the record has. */
  answered: { subjects: readonly string[]; products: readonly string[] };
  /** The call's place in the record, unknown tools included. */
  index: number;
  /** The rate window refused it then, so that no flow rule was asked. */
  wasLimited?: boolean;
  /** Active products at the time, where that is known; otherwise the recording's. */
  catalogSize?: number;
  /** Rules that a person let this one call pass. */
  released?: readonly string[];
}

/** What happened to a caller, one thing after the other. */
export type Step =
  /** `abandon`: it ended without an answer. */
  | { kind: "admit" | "settle" | "abandon"; recorded: RecordedCall }
  /** A person let work go on. */
  | { kind: "release"; release: Release };

/** What a caller did, in the order in which it was done: what every kind of record is turned into to be replayed. */
export interface Recording {
  id: string;
  /** What it is known to be, for tables; absent where nobody knows. */
  label?: "benign" | "attack" | undefined;
  family?: string | undefined;
  catalogSize: number;
  calls: RecordedCall[];
  /** In which order calls were admitted and settled, where that is known. */
  steps?: Step[];
  rate: {
    /** In the order of time. */
    events: RateEvent[];
    /** Refusals by the rate window that the record has as a number alone, without their times. */
    unplaced: number;
  };
}

/** Reads records of one kind. Throws BadInput at the first that can't be read. */
export type RecordingReader = (name: string, bytes: AsyncIterable<Buffer>) => AsyncIterable<Recording>;

/** A file that is not what it should be; the message says which line and why. */
export class BadInput extends Error {}
