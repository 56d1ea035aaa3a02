import { recordingOf } from "../../cli/replay/read-traces.ts";
import { type Take, VICTIM_KNOWLEDGE } from "../generate-traces/attacks.ts";
import { CUSTOMERS, HOUR, MINUTE, SECOND, Story } from "../generate-traces/story.ts";
import type { CompanyCaller, Origin } from "./day.ts";

const ACCOUNTS = 20;
const VICTIMS = 5;

/** Twenty new accounts of one origin that begin within `spread` milliseconds, with five victims each. */
function accounts(origin: Origin, take: Take, spread: number, seed: number): CompanyCaller[] {
  const victims = new Story(seed, "support").numbers(ACCOUNTS * VICTIMS, CUSTOMERS);
  return Array.from({ length: ACCOUNTS }, (_, account) => {
    const story = new Story(seed * 2_003 + account, "support");
    story.now = 5 * HOUR + story.int(0, spread);
    for (const victim of victims.slice(account * VICTIMS, (account + 1) * VICTIMS)) {
      take(story, victim);
      story.wait(0, 30 * SECOND);
    }
    const recording = recordingOf(story.trace(`stolen-${account}`, "attack", "many-accounts"));
    return { recording, origin, isHonest: false };
  });
}

const SPREADS: readonly [string, number][] = [
  ["ten minutes", 10 * MINUTE],
  ["four hours", 4 * HOUR],
];

interface Intrusion {
  origin: Origin;
  /** Facts that the thief knows of the victims. */
  known: string;
  /** Time within which the accounts begin. */
  within: string;
  make: (seed: number) => CompanyCaller[];
}

const ORIGINS: readonly Origin[] = ["one admin", "first day"];

/** Attacks by many new accounts. */
export const INTRUSIONS: readonly Intrusion[] = ORIGINS.flatMap((origin) =>
  VICTIM_KNOWLEDGE.flatMap(([known, take]) =>
    SPREADS.map(([within, spread]) => ({
      origin,
      known,
      within,
      make: (seed: number) => accounts(origin, take, spread, seed),
    })),
  ),
);
