import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSource } from "../../../cli/import/open-source.ts";
import { generateTraces } from "../../../lab/generate-traces/families.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { readTraces, recordingOf } from "../../../cli/replay/read-traces.ts";
import type { Recording } from "../../../cli/replay/recording.ts";
import { replay } from "../../../cli/replay/replay.ts";
import { detectorOf } from "../../../src/detection/detector.ts";

const MINUTE = 60_000;
const detector = detectorOf(policyInForce().rules);

// Attacks that docs/detection.md lists as missed.
const MISSED = new Set(["many-accounts", "name-list", "catalog-below-the-day"]);
const INTERRUPTED = new Set(["crowded-day", "unassigned-tickets"]);

/** Returns the most people in any window of the record, had nothing stopped it. */
function densest({ calls }: Recording, windowMs: number): number {
  const first = new Map<string, number>();
  for (const { call, answered } of calls) {
    for (const person of answered.subjects) if (!first.has(person)) first.set(person, call.at);
  }
  const times = [...first.values()];
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at - from < windowMs).length));
}

/** Returns how many people a record may reveal before it is stopped. */
const peopleAllowed = (recording: Recording): number => {
  if (densest(recording, 10 * MINUTE) >= 8) return 8;
  return densest(recording, 60 * MINUTE) > 12 ? 12 : 30;
};

function check(recordings: readonly Recording[]): void {
  for (const recording of recordings) {
    const { enforced_at, subjects_before, objects_before, id } = replay(recording, detector).line;
    if (recording.label === "benign") expect([id, enforced_at]).toEqual([id, null]);
    else {
      expect([id, enforced_at]).not.toEqual([id, null]);
      expect([id, subjects_before <= peopleAllowed(recording)]).toEqual([id, true]);
      expect([id, objects_before < Math.max(200, recording.catalogSize / 20)]).toEqual([id, true]);
    }
  }
}

const SHARED = join(process.env["EVAL_DATA_DIR"] ?? "../shared/data", "flows/traces.dev.jsonl.gz");

async function shared(): Promise<Recording[]> {
  const all: Recording[] = [];
  if (!existsSync(SHARED)) return all;
  for await (const recording of readTraces(SHARED, (await openSource(SHARED)).bytes)) all.push(recording);
  return all;
}
const recordings = await shared();

describe("detection targets", () => {
  it.each(["benign", "attacks"])("generated %s of families that no threshold was tuned on", (set) => {
    const made = [...generateTraces(set, 3, 77)].map(recordingOf);
    check(made.filter(({ family = "" }) => !MISSED.has(family) && !INTERRUPTED.has(family)));
    expect(made.length).toBeGreaterThan(40);
  });

  it("the shared traces", ({ skip }) => {
    if (recordings.length === 0)
      skip(`${SHARED} is missing: the evaluation data is not part of the repository`);
    check(recordings);
    expect(recordings.length).toBeGreaterThan(200);
  });

  it("misses exactly the attacks that docs/detection.md lists as missed", () => {
    for (const family of MISSED) {
      const lines = [...generateTraces(family, 5, 5)].map((made) => replay(recordingOf(made), detector).line);
      const missed = lines.filter(
        ({ enforced_at, objects_before }) => enforced_at === null || objects_before >= 200,
      );
      expect([family, missed.length > 0]).toEqual([family, true]);
    }
  });
});
