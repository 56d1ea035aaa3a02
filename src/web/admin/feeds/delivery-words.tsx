import type { FeedStatus } from "../../../feeds/feed-object.ts";
import type { DeliveryOutcome } from "../../../feeds/feed-rows.ts";
import type { DeliveryReport } from "../../../feeds/report.ts";
import { Chip, utc } from "../elements.tsx";
import { number } from "../units.ts";

const OUTCOMES = {
  applied: ["good", "applied"],
  retrying: ["high", "failed, will retry"],
  failed: ["high", "failed"],
  unchanged: ["quiet", "unchanged"],
  waiting: ["high", "waits for you"],
  asking: ["high", "asks you"],
  discarded: ["quiet", "discarded"],
  superseded: ["quiet", "replaced by a later one"],
} as const satisfies Record<DeliveryOutcome, readonly ["good" | "high" | "quiet", string]>;

export function OutcomeChip({ outcome }: { outcome: DeliveryOutcome }) {
  const [tone, word] = OUTCOMES[outcome];
  return <Chip tone={tone}>{word}</Chip>;
}

/** Why a delivery waits, as sentences. */
export const REASON_WORDS: Readonly<Record<DeliveryReport["reasons"][number], string>> = {
  shrunk: "It has fewer than half of the products of the last delivery, or of the catalog that it replaces.",
  prices: "More than 1% of the prices change by over five times, which looks like a wrong unit or currency.",
  upload: "Look at the three products and the counts before you apply the file.",
};

const STEPS = {
  fetching: "Fetching",
  checking: "Checking how it is written",
  reading: "Reading products",
  applying: "Applying",
} as const;

/** Says in one line how far a delivery is. */
export function progressWords({ phase, progress, retry }: FeedStatus): string {
  if (phase === "receiving") return "The file is being sent.";
  if (phase === "fetching" && retry !== null)
    return `${retry.problem} It is fetched again at ${utc(retry.at)}.`;
  if (progress === null) return "Waiting for its turn…";
  const { step, done, all } = progress;
  const share = all === undefined || all === 0 ? number(done) : `${Math.round((100 * done) / all)}%`;
  return `${STEPS[step]}: ${share}${step === "checking" || (step === "reading" && all === undefined) ? " rows" : ""}`;
}
