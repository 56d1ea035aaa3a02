// feed: keeps the catalog fresh from files that the server fetches, on this machine or on a deployed server.

import { InvalidArgumentError, Option } from "commander";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { PRESET_NAMES } from "../src/catalog/import/read/presets/index.ts";
import { idInPath } from "./arguments.ts";
import { adminCommand } from "./admin/console.ts";

const UNITS: Readonly<Record<string, number>> = { m: 1, h: 60, d: 24 * 60 };

/** Parses `6h`, `30m` or `1d`; returns minutes. */
function minutesOf(written: string): number {
  const [, count = "", unit = ""] = /^(\d{1,5})([mhd])$/.exec(written) ?? [];
  const minutes = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (!(minutes > 0)) throw new InvalidArgumentError("It looks like 30m, 6h or 1d.");
  return minutes;
}
const everyOf = (minutes: number): string => {
  const unit = (["d", "h"] as const).find((each) => minutes % (UNITS[each] ?? 1) === 0) ?? "m";
  return `${minutes / (UNITS[unit] ?? 1)}${unit}`;
};
const collect = (value: string, before: string[]): string[] => [...before, value];

const admin = adminCommand("feed");
const { program } = admin;
program.description(
  "Keep the catalog fresh from a file that the server fetches on schedule. A failed delivery leaves the catalog as it is.",
);
program
  .command("list")
  .description("List the feeds, with the last delivery of each.")
  .action(() =>
    admin.list(
      "/feeds",
      {},
      {
        all: false,
        columns: [
          "id",
          "name",
          ["every", ({ every_minutes: minutes }) => everyOf(Number(minutes))],
          ["fetched (UTC)", ({ checked_at: at = null }) => (at ?? "").slice(0, 16).replace("T", " ")],
          ["next (UTC)", ({ next_at: at = null }) => (at ?? "paused").slice(0, 16).replace("T", " ")],
          [
            "last delivery",
            ({ outcome = null, problem = null }) => [outcome, problem].filter(Boolean).join(": "),
          ],
        ],
      },
    ),
  );

interface AddOptions {
  from?: string;
  every: number;
  currency?: string;
  format?: string;
  set: string[];
  map: string[];
  majorPrices?: boolean;
  minorPrices?: boolean;
  decimal?: string;
  quarantine?: boolean;
  removeMissing?: boolean;
}
program
  .command("add <url>")
  .description("Add a feed, and fetch it at once. - reads the URL from standard input.")
  .addOption(new Option("--from <kind>", "the kind of file (default: by its columns)").choices(PRESET_NAMES))
  .option("--every <time>", "how often it is fetched, such as 30m, 6h or 1d", minutesOf, 6 * 60)
  .option("--currency <code>", "the currency of prices that name none, such as EUR")
  .option("--format <format>", "csv, tsv, jsonl, json or xml (default: by its beginning)")
  .option("--set <field=text>", "a text for a field that a row leaves empty; may be repeated", collect, [])
  .option("--map <field=column>", "the column that holds a field; may be repeated", collect, [])
  .option("--major-prices", "prices are in major units, such as 79.99")
  .option("--minor-prices", "prices are in minor units, such as 7999")
  .addOption(new Option("--decimal <separator>", "the decimal separator").choices(["point", "comma"]))
  .option("--quarantine", "keep out products whose text reads like an instruction to an AI model")
  .option("--remove-missing", "discontinue products that a delivery without bad rows lacks")
  .action(async (url: string, options: AddOptions) =>
    admin.send("POST", "/feeds", {
      url: url === "-" ? (await text(process.stdin)).trim() : url,
      every_minutes: options.every,
      from: options.from,
      currency: options.currency,
      format: options.format,
      decimal: options.decimal,
      prices: options.majorPrices === true ? "major" : options.minorPrices === true ? "minor" : undefined,
      set: options.set,
      map: options.map,
      quarantine: options.quarantine,
      remove_missing: options.removeMissing,
    }),
  );
for (const [verb, about] of [
  ["run", "Fetch a feed now."],
  ["pause", "Stop fetching a feed."],
  ["resume", "Fetch a paused feed again."],
] as const)
  program
    .command(verb)
    .description(about)
    .argument("<id>", "the feed's id", idInPath)
    .action((id: string) => admin.send("POST", `/feeds/${encodeURIComponent(id)}/${verb}`));
const waitingSchema = z.looseObject({
  held: z
    .looseObject({
      id: z.string(),
      report: z.looseObject({ rows: z.int(), bad: z.int(), examples: z.array(z.string()) }).nullable(),
      question: z.looseObject({ text: z.string() }).nullable(),
    })
    .nullable(),
});
program
  .command("show")
  .description("Show the delivery that waits for a person.")
  .argument("<id>", "the feed's id", idInPath)
  .action(async (id: string) => {
    const status = waitingSchema.parse(await admin.call("GET", `/feeds/${encodeURIComponent(id)}`));
    const { held } = status;
    if (held === null) return admin.print(status, "No delivery waits.");
    const { report, question } = held;
    const counts =
      report === null ? [] : [`${report.rows} products, ${report.bad} bad rows`, ...report.examples];
    admin.print(
      status,
      [`Waiting: ${held.id}`, ...counts, ...(question === null ? [] : [question.text])].join("\n"),
    );
  });
for (const [verb, about] of [
  ["apply", "Apply the delivery that waits for a person."],
  ["discard", "Discard the delivery that waits for a person."],
] as const)
  program
    .command(verb)
    .description(about)
    .argument("<id>", "the feed's id", idInPath)
    .argument("<delivery>", "the delivery that you have seen; feed show names it")
    .action((id: string, delivery: string) =>
      admin.send("POST", `/feeds/${encodeURIComponent(id)}/${verb}`, { delivery }),
    );
program
  .command("remove")
  .description("Remove a feed. Its products stay.")
  .argument("<id>", "the feed's id", idInPath)
  .action((id: string) => admin.send("DELETE", `/feeds/${encodeURIComponent(id)}`));

await admin.run();
