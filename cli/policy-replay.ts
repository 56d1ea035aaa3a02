// policy replay: shows what a policy would have decided for recorded callers.

import { Option } from "commander";
import { commandOf } from "./command.ts";
import { type Detector, detectorOf } from "../src/detection/detector.ts";
import { plural } from "../src/web/admin/units.ts";
import { openSource } from "./import/open-source.ts";
import { showProgress } from "./import/progress.ts";
import { readRecordings } from "./replay/read-recordings.ts";
import { limitedBy } from "./replay/rate.ts";
import { SHIPPED_POLICY, readReplayPolicy } from "./replay/read-rules.ts";
import type { Recording } from "./replay/recording.ts";
import { type Replayed, replay } from "./replay/replay.ts";
import {
  type Outcome,
  differencesTable,
  microsecondsPerCall,
  summarize,
  summaryTable,
} from "./replay/summary.ts";

interface Options {
  lines?: "odd" | "even";
  policy?: string;
  against?: string;
  summary?: boolean;
  json?: boolean;
}

/** Records that run once before they are timed. */
const WARM_UP = 100;

const command = commandOf("policy replay")
  .description(
    "Run recorded calls through the flow detector and print a JSON line for each record, which is a caller's audit or a trace:\n" +
      '  {"id","action","enforced_at","subjects_before","objects_before","rules":[]}\n' +
      "action is the strictest verdict, enforced_at the index of the first call throttled, confirmed or blocked, " +
      "and the two numbers count the people and products answered before it. A refused call reveals nothing, nobody " +
      "confirms, and after a block nothing runs. Calls of the same time are in flight together.",
  )
  .argument("<file>", "traces as JSON Lines, or exports of audits, gzipped or not; - for standard input")
  .option("--policy <file>", "a JSON file with `rules`, instead of the server's own policy")
  .option(
    "--against <file>",
    "print the records that this second policy decides differently; the rate windows of both are simulated",
  )
  .option("--summary", "add a table by family, with Wilson's 95 % intervals")
  .option("--json", "print JSON instead of the tables of --against and --summary")
  .addOption(
    new Option(
      "--lines <which>",
      "replay only every other record: tune on one half, report on the other",
    ).choices(["odd", "even"]),
  )
  .action(run);

await command.parseAsync();

async function run(file: string, { policy, against, summary, lines, json = false }: Options): Promise<void> {
  const { rules, windows } = await readReplayPolicy(policy ?? SHIPPED_POLICY);
  const detector = detectorOf(rules);
  const second = against === undefined ? undefined : await readReplayPolicy(against);
  const secondDetector = second && detectorOf(second.rules);

  const outcomes: Outcome[] = [];
  let unplaced = 0;
  const changed: { before: Replayed; after: Replayed }[] = [];
  for await (const recording of recordingsOf(file, lines)) {
    // The first records run once untimed, so that the summary measures the detector and not its compilation.
    if (summary === true && outcomes.length < WARM_UP) replay(recording, detector);
    const limited = second && limitedBy(windows, recording.rate.events);
    const outcome = outcomeOf(recording, detector, limited);
    outcomes.push(outcome);
    if (second === undefined || secondDetector === undefined) console.log(JSON.stringify(outcome.line));
    else {
      const then = limitedBy(second.windows, recording.rate.events);
      const [before, after] = [outcome.line, replay(recording, secondDetector, undefined, then).line];
      if (differs(before, after)) changed.push({ before, after });
      unplaced += recording.rate.unplaced;
    }
  }
  if (unplaced > 0)
    console.error(
      `${plural(unplaced, "refusal")} by the rate windows are only counted in the audit, without times. This replay cannot tell which of them looser windows would allow.`,
    );
  if (second !== undefined)
    console.log(json ? JSON.stringify(changed) : differencesTable(changed, outcomes.length));
  if (summary === true) printSummary(outcomes, json);
}

function differs(before: Replayed, after: Replayed): boolean {
  return (
    before.action !== after.action ||
    before.enforced_at !== after.enforced_at ||
    before.rate_limited !== after.rate_limited
  );
}

function outcomeOf(recording: Recording, detector: Detector, limited?: ReadonlySet<number>): Outcome {
  return {
    ...replay(recording, detector, undefined, limited),
    label: recording.label ?? "",
    family: recording.family ?? "",
  };
}

async function* recordingsOf(file: string, lines?: "odd" | "even"): AsyncGenerator<Recording> {
  const source = await openSource(file);
  const progress = showProgress(source, "Replaying", "records");
  let done = 0;
  for await (const recording of readRecordings(file, source.bytes)) {
    progress.update(++done);
    if (lines === undefined || (done % 2 === 1) === (lines === "odd")) yield recording;
  }
  progress.stop();
}

function printSummary(outcomes: readonly Outcome[], json: boolean): void {
  const families = summarize(outcomes);
  const usPerCall = Number(microsecondsPerCall(outcomes).toFixed(1));
  if (json) console.log(JSON.stringify({ families, us_per_call: usPerCall }));
  else console.log(`${summaryTable(families)}\n${usPerCall} us a call in the detector`);
}
