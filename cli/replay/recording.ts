import type { FlowCall, FlowResult } from "../../src/detection/event.ts";
import type { RateEvent } from "./rate.ts";
import type { Release } from "../../src/detection/state/releases.ts";

/** One call as it was made, and its answer. */
export interface RecordedCall {
  call: FlowCall;
  result: FlowResult;
  /** People and products in the answer, named as the record names them. */
  answered: { subjects: readonly string[]; products: readonly string[] };
  /** The call's position in the record, counting unknown tools. */
  index: number;
  /** The rate window refused the call, so no flow rule was evaluated. */
  wasLimited?: boolean;
  /** Active products at the time, if known; otherwise the recording's number applies. */
  catalogSize?: number;
  /** Rules that a person let this one call pass. */
  released?: readonly string[];
}

/** An event of a caller's recording, in order. */
export type Step =
  /** `abandon`: the call ended without an answer. */
  | { kind: "admit" | "settle" | "abandon"; recorded: RecordedCall }
  /** A person allowed the caller to go on. */
  | { kind: "release"; release: Release };

/** A caller's calls in order. Every kind of record is converted to this before a replay. */
export interface Recording {
  id: string;
  /** The known label, for tables; absent if unknown. */
  label?: "benign" | "attack" | undefined;
  family?: string | undefined;
  catalogSize: number;
  calls: RecordedCall[];
  /** The order in which calls were admitted and settled, if known. */
  steps?: Step[];
  rate: {
    /** Sorted by time. */
    events: RateEvent[];
    /** Rate-window refusals that the record only counts, without their times. */
    unplaced: number;
  };
}

/** Reads records of one kind. Throws BadInput at the first that cannot be read. */
export type RecordingReader = (name: string, bytes: AsyncIterable<Buffer>) => AsyncIterable<Recording>;

/** A file has wrong contents; the message names the line and the problem. */
export class BadInput extends Error {}
