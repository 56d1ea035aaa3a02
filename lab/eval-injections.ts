// lab eval-injections: how many instructions hidden in data the signatures of src/text/ catch, and how
// many harmless texts they flag.

import * as z from "zod";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { parseJsonAs, readText } from "../cli/read-file.ts";
import { wilson95 } from "../cli/replay/wilson.ts";
import { plainTable } from "../cli/table.ts";
import { scanForInjection } from "../src/text/injection-scan.ts";
import { percent } from "./support/figures.ts";

const { data, floor, details } = commandOf("lab eval-injections")
  .description(
    "Scan labelled texts for instructions to the model, and print the flagged share of each source, with 95 % " +
      "Wilson intervals. A flag on label 1 is a detection, on label 0 a false positive.",
  )
  .requiredOption("--data <file>", 'JSONL: {"id", "label": 0 or 1, "source", "text"}')
  .option(
    "--floor <share>",
    "fail if a smaller share is detected, or any honest text is flagged",
    positiveNumber,
  )
  .option("--details", "print every missed attack and every false positive")
  .parse()
  .opts<{ data: string; floor?: number; details?: boolean }>();

const rowSchema = z.object({
  id: z.string(),
  label: z.union([z.literal(0), z.literal(1)]),
  source: z.string(),
  text: z.string(),
});
const rows = (await readText(data))
  .split("\n")
  .flatMap((line, index) =>
    line === "" ? [] : parseJsonAs(rowSchema, line, `${data}, line ${index + 1}`, "a labelled text"),
  );

// The first pass is untimed, so that compiled code is timed, as in a Worker that has served for a while.
for (const { text } of rows) scanForInjection(text);
const started = performance.now();
const scanned = rows.map((row) => ({ ...row, families: scanForInjection(row.text) }));
const characters = rows.reduce((sum, { text }) => sum + text.length, 0);
const usPerKb = ((performance.now() - started) * 1e6) / characters;

const shareOf = (some: typeof scanned) => {
  const flagged = some.filter(({ families }) => families.length > 0).length;
  return { flagged, of: some.length, interval: wilson95(flagged, some.length) };
};
const groups = Map.groupBy(scanned, ({ label, source }) => `${label === 1 ? "attack" : "honest"} ${source}`);
const sources = [...groups].map(([name, some]) => ({ name, ...shareOf(some) }));
const detection = shareOf(scanned.filter(({ label }) => label === 1));
const falsePositives = shareOf(scanned.filter(({ label }) => label === 0));

for (const { label, families, id, source, text } of details === true ? scanned : []) {
  if ((label === 1) === families.length > 0) continue;
  const what = label === 1 ? "missed" : `false positive (${families.join(", ")})`;
  console.log(`${what} ${id} ${source}: ${JSON.stringify(text.slice(0, 300))}`);
}
const table = plainTable(["texts", "flagged", "of", "share", "ci95"]);
for (const { name, flagged, of, interval } of sources)
  table.push([name, flagged, of, percent(flagged / of), interval.map(percent).join(" - ")]);
console.log(table.toString());
for (const [name, { flagged, of, interval }] of Object.entries({
  detection,
  "false positives": falsePositives,
}))
  console.log(
    `${name} ${percent(flagged / of)} (${flagged} of ${of}, ci95 ${interval.map(percent).join(" - ")})`,
  );
console.log(`${usPerKb.toFixed(0)} us per 1,000 characters`);

if (floor !== undefined && (falsePositives.flagged > 0 || detection.flagged / detection.of < floor)) {
  console.error(`Detection is below the floor of ${floor}, or an honest text is flagged.`);
  process.exitCode = 1;
}
