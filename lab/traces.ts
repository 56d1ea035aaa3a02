// lab traces: prints made-up traces, which policy replay reads.

import { once } from "node:events";
import { Argument } from "commander";
import { wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { FAMILY_NAMES, generateTraces } from "./generate-traces/families.ts";

await commandOf("lab traces")
  .description("Print generated traces as JSON Lines, the same for the same seed.")
  .addArgument(new Argument("<name>", "one family, or a set of families").choices(FAMILY_NAMES))
  .option("--count <number>", "traces per family", wholeNumber, 20)
  .option("--seed <number>", "seed", wholeNumber, 1)
  .action(async (name: string, { count, seed }: { count: number; seed: number }) => {
    for (const trace of generateTraces(name, count, seed))
      if (!process.stdout.write(`${JSON.stringify(trace)}\n`)) await once(process.stdout, "drain");
  })
  .parseAsync();
