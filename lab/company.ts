// lab company: plays days of a made-up company on one clock, and attacks by many new accounts inside them.

import { wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { wilson95 } from "../cli/replay/wilson.ts";
import { plainTable } from "../cli/table.ts";
import { detectorOf } from "../src/detection/detector.ts";
import { policyInForce } from "../src/policy/bundled.ts";
import { plural } from "../src/web/admin/units.ts";
import { type Origin, companyDay } from "./company/day.ts";
import { playDay } from "./company/play-day.ts";
import { INTRUSIONS } from "./company/intrusions.ts";

const NEW_HIRES = [1, 2, 4, 8, 20, 30];
const ORIGINS: readonly (Origin | undefined)[] = ["first day", "one admin"];

await commandOf("lab company")
  .description(
    "Play days of 60 support agents with shared customers, shift changes and new hires through the shipped rules, and " +
      "twenty new accounts with five victims each inside every day. Prints how often honest people are interrupted.",
  )
  .option("--days <number>", "days for each number of new hires", wholeNumber, 20)
  .option("--seed <number>", "seed", wholeNumber, 1)
  .action(({ days, seed }: { days: number; seed: number }) => {
    const detector = detectorOf(policyInForce().rules);
    const honest = plainTable([
      "made by",
      "new hires",
      "interrupted",
      "ci95 %",
      "by a shared budget",
      "others",
    ]);
    for (const origin of ORIGINS) {
      for (const hires of NEW_HIRES) {
        const played = range(days).map((day) =>
          playDay(companyDay(hires, origin, seed * 1_000 + day), detector),
        );
        const agents = played.flatMap((day) => day.agents);
        const fresh = agents.filter(({ isNew }) => isNew);
        const met = fresh.filter(({ own, shared }) => own || shared).length;
        honest.push([
          origin,
          hires,
          `${met} of ${fresh.length}`,
          percent95(met, fresh.length),
          fresh.filter(({ shared }) => shared).length,
          `${agents.filter(({ isNew, own }) => !isNew && own).length} of ${agents.length - fresh.length}`,
        ]);
      }
    }
    console.log(`${plural(days, "day")} of 60 agents, without an attack:\n${honest.toString()}`);
    const attacked = plainTable(["made by", "victims known by", "begin within", "people read: median, max"]);
    for (const { origin, known, within, make } of INTRUSIONS) {
      const stolen = range(days)
        .map((day) => {
          const seeded = seed * 1_000 + day;
          return playDay([...companyDay(2, "first day", seeded), ...make(seeded)], detector).stolen;
        })
        .toSorted((a, b) => a - b);
      const median = stolen[Math.floor(stolen.length / 2)] ?? 0;
      attacked.push([origin, known, within, `${median}, ${stolen.at(-1) ?? 0}`]);
    }
    console.log(`Twenty new accounts with five victims each, inside every day:\n${attacked.toString()}`);
  })
  .parseAsync();

/** Returns the 95 % interval of a share, in percent. */
function percent95(met: number, of: number): string {
  return wilson95(met, of)
    .map((share) => (share * 100).toFixed(1))
    .join("-");
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
