import { recordingOf } from "../../cli/replay/read-traces.ts";
import type { Recording } from "../../cli/replay/recording.ts";
import { BENIGN } from "../generate-traces/benign.ts";
import { HOUR, MINUTE, Story } from "../generate-traces/story.ts";

/** One caller's calls in a company's day; all callers share one clock and the same customers. */
export interface CompanyCaller {
  recording: Recording;
  /** The account's origin, if it is younger than a week and counts as new. */
  origin: Origin | undefined;
  isHonest: boolean;
}

/**
 * Origins of new accounts: made by one admin whose budget they share, or made on the server's first day. Those of a sign-in
 * provider, and those that a second person vouched for, count as known.
 */
export type Origin = "one admin" | "first day";

const AGENTS = 60;
/** Hours at which the shifts begin; each overlaps the next. */
const SHIFTS = [0, 4, 8];
/** The work that a shift may be, by the family that tells it. */
const WORK = [
  "full-day",
  "long-handling",
  "queue-clearing",
  "chat-desk",
  "refund-desk",
  "typing-badly",
  "own-tickets",
];

/** Makes the day of 60 agents, of whom the last `hires` are new and of one origin; the same for the same seed. */
export function companyDay(hires: number, origin: Origin | undefined, seed: number): CompanyCaller[] {
  return Array.from({ length: AGENTS }, (_, agent) => {
    const story = new Story(seed * 1_009 + agent, "support");
    story.now = (SHIFTS[agent % SHIFTS.length] ?? 0) * HOUR + story.int(0, 20 * MINUTE);
    BENIGN[story.pick(WORK, "full-day")]?.(story);
    const recording = recordingOf(story.trace(`agent-${agent}`, "benign", "company"));
    return { recording, origin: agent < AGENTS - hires ? undefined : origin, isHonest: true };
  });
}
