// feed: keeps the catalog fresh from files that the server fetches, on this machine or on a deployed server.

import { type Command, InvalidArgumentError, Option } from "commander";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { PRESET_NAMES } from "../src/catalog/import/read/presets/index.ts";
import { MINUTES_MAX, MINUTES_MIN } from "../src/feeds/options.ts";
import { idInPath } from "./arguments.ts";
import { adminCommand } from "./admin/console.ts";

const UNITS: Readonly<Record<string, number>> = { m: 1, h: 60, d: 24 * 60 };

/** Parses `6h`, `30m` or `1d`; returns minutes. */
function minutesOf(written: string): number {
  const [, count = "", unit = ""] = /^(\d{1,5})([mhd])$/.exec(written) ?? [];
  const minutes = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (!(minutes >= MINUTES_MIN && minutes <= MINUTES_MAX))
    throw new InvalidArgumentError(
      `Allowed are ${everyOf(MINUTES_MIN)} to ${everyOf(MINUTES_MAX)}, such as 30m, 6h or 1d.`,
    );
  return minutes;
}
function everyOf(minutes: number): string {
  const unit = (["d", "h"] as const).find((each) => minutes % (UNITS[each] ?? 1) === 0) ?? "m";
  return `${minutes / (UNITS[unit] ?? 1)}${unit}`;
}
const collect = (value: string, before: string[]): string[] => [...before, value];

/** The server fetches and applies after it has answered. */
const STARTED = "Started (npx product-catalog-mcp feed list shows what comes of it)";

const admin = adminCommand("feed");
const { program } = admin;
program.description(
  "Keep the catalog fresh from a file that the server fetches on schedule. A failed delivery leaves the catalog as it is. A feed pauses once its owner is no admin.",
);
program
  .command("list")
  .description("List the feeds, with the owner and the last delivery of each.")
  .action(() =>
    admin.list(
      "/feeds",
      {},
      {
        all: false,
        columns: [
          "id",
          "name",
          ["owner", ({ created_by: owner = null }) => owner ?? ""],
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

/** Options that also answer the question of a delivery. */
interface Choices {
  currency?: string;
  decimal?: string;
  majorPrices?: boolean;
  minorPrices?: boolean;
}
const choosing = (command: Command): Command =>
  command
    .option("--currency <code>", "the currency of prices that name none, such as EUR")
    .addOption(new Option("--decimal <separator>", "the decimal separator").choices(["point", "comma"]))
    .addOption(
      new Option("--major-prices", "prices are in major units, such as 79.99").conflicts("minorPrices"),
    )
    .option("--minor-prices", "prices are in minor units, such as 7999");
const chosen = ({ currency, decimal, majorPrices, minorPrices }: Choices) => ({
  currency,
  decimal,
  prices: majorPrices === true ? "major" : minorPrices === true ? "minor" : undefined,
});

interface AddOptions extends Choices {
  from?: string;
  every: number;
  format?: string;
  set: string[];
  map: string[];
  quarantine?: boolean;
  removeMissing?: boolean;
}
choosing(program.command("add <url>"))
  .description("Add a feed, and fetch it at once. - reads the URL from standard input.")
  .addOption(new Option("--from <kind>", "the kind of file (default: by its columns)").choices(PRESET_NAMES))
  .option("--every <time>", "how often it is fetched: 15m to 31d", minutesOf, 6 * 60)
  .option("--format <format>", "csv, tsv, jsonl, json or xml (default: by its beginning)")
  .option("--set <field=text>", "a text for a field that a row leaves empty; may be repeated", collect, [])
  .option("--map <field=column>", "the column that holds a field; may be repeated", collect, [])
  .option("--quarantine", "keep out products whose text reads like an instruction to an AI model")
  .option("--remove-missing", "discontinue products that a delivery without bad rows lacks")
  .action(async (url: string, options: AddOptions) =>
    admin.send(
      "POST",
      "/feeds",
      {
        url: url === "-" ? (await text(process.stdin)).trim() : url,
        every_minutes: options.every,
        from: options.from,
        format: options.format,
        ...chosen(options),
        set: options.set,
        map: options.map,
        quarantine: options.quarantine,
        remove_missing: options.removeMissing,
      },
      STARTED,
    ),
  );
for (const [verb, about, done] of [
  ["run", "Fetch a feed now.", STARTED],
  ["pause", "Stop fetching a feed.", "Done"],
  ["resume", "Fetch a paused feed again, and own it from now on.", STARTED],
] as const)
  program
    .command(verb)
    .description(about)
    .argument("<id>", "the feed's id", idInPath)
    .action((id: string) => admin.send("POST", `/feeds/${encodeURIComponent(id)}/${verb}`, undefined, done));
const ANSWERS = {
  prices: "--major-prices or --minor-prices",
  decimal: "--decimal point or --decimal comma",
  currency: "a currency, such as --currency EUR",
};
const waitingSchema = z.looseObject({
  held: z
    .looseObject({
      id: z.string(),
      report: z.looseObject({ rows: z.int(), bad: z.int(), examples: z.array(z.string()) }).nullable(),
      question: z
        .looseObject({ asks: z.enum(["prices", "decimal", "currency"]), text: z.string() })
        .nullable(),
    })
    .nullable(),
});
program
  .command("show")
  .description(
    "Show the delivery that waits for a person: its id, its counts, and three products or its question.",
  )
  .argument("<id>", "the feed's id", idInPath)
  .action(async (id: string) => {
    const status = waitingSchema.parse(await admin.call("GET", `/feeds/${encodeURIComponent(id)}`));
    const { held } = status;
    if (held === null) return admin.print(status, "No delivery waits.");
    const { report, question } = held;
    const counts =
      report === null ? [] : [`${report.rows} products, ${report.bad} bad rows`, ...report.examples];
    const asked =
      question === null ? [] : [question.text, `Answer with feed apply, and ${ANSWERS[question.asks]}.`];
    admin.print(status, [`Waiting: ${held.id}`, ...counts, ...asked].join("\n"));
  });
const deciding = (verb: string, about: string) =>
  program
    .command(verb)
    .description(about)
    .argument("<id>", "the feed's id", idInPath)
    .argument("<delivery>", "the delivery that you have seen; feed show names it");
choosing(
  deciding(
    "apply",
    "Apply the delivery that waits for a person, or read it again with the answer to its question.",
  ),
).action((id: string, delivery: string, options: Choices) =>
  admin.send("POST", `/feeds/${encodeURIComponent(id)}/apply`, { delivery, ...chosen(options) }, STARTED),
);
deciding("discard", "Discard the delivery that waits for a person.").action((id: string, delivery: string) =>
  admin.send("POST", `/feeds/${encodeURIComponent(id)}/discard`, { delivery }),
);
program
  .command("remove")
  .description("Remove a feed. Its products stay.")
  .argument("<id>", "the feed's id", idInPath)
  .action((id: string) => admin.send("DELETE", `/feeds/${encodeURIComponent(id)}`));

await admin.run();
