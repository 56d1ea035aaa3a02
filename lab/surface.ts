// lab surface: compares what clients see with tool-definitions.json, and shows its cost for a model.

import { readFile, writeFile } from "node:fs/promises";
import { commandOf } from "../cli/command.ts";
import { releasedLocks } from "./surface/history.ts";
import { EMPTY_LOCK, type Lock, behindProblems, change, lockSchema, rewritten } from "./surface/lock.ts";
import { plainTable } from "../cli/table.ts";

const FILE = "tool-definitions.json";

const program = commandOf("lab surface")
  .description(
    `Check that clients see what ${FILE} says, and that no change would break a client, compared with every release too. Exits with 1 if something is wrong.`,
  )
  .option("--write", `write ${FILE} from the code, unless a client would break`)
  .option("--cost", "show the cost of the tool lists for a model in tokens, and check nothing")
  .option("--json", "print JSON")
  .addHelpText("after", "\ndocs/add-a-tool.md explains how to add and change a tool.")
  .parse();
const options = program.opts<{ write?: boolean; cost?: boolean; json?: boolean }>();

// Loaded after the command is set up: these modules read policy.json, and the command reports it if that is
// not JSON.
const { policyInForce } = await import("../src/policy/bundled.ts");
const { allTools } = await import("../src/ucp/registry.ts");
const { costOfRoles, costOfTools, tooCostly } = await import("./surface/cost.ts");
const { surfaceOf } = await import("./surface/surface.ts");

if (options.cost === true) showCost();
else await check();

async function check(): Promise<void> {
  const changed = change(await readLock(), surfaceOf(allTools), new Date().toISOString().slice(0, 10));
  const { behind, next } = changed;
  const broken = [...changed.problems, ...(await removed(next))];
  const writes = options.write === true && behind.length > 0 && broken.length === 0;
  if (writes) await writeFile(FILE, `${JSON.stringify(next, null, 2)}\n`);
  const problems = [...broken, ...(writes ? [] : behindProblems(changed)), ...tooCostly(policyInForce())];
  process.exitCode = problems.length === 0 ? 0 : 1;
  if (options.json === true)
    return console.log(JSON.stringify({ ok: problems.length === 0, written: writes, problems }));
  if (writes) console.log(`${FILE}: written, with ${behind.join(", ")}.`);
  else if (problems.length === 0) console.log(`${FILE} is up to date.`);
  for (const problem of problems) console.error(problem);
  if (changed.problems.length > 0)
    console.error(
      `If ${FILE} has a shape that no release had: take the file from the release (git checkout COMMIT -- ${FILE}), then --write.`,
    );
}

async function readLock(): Promise<Lock> {
  const text = await readFile(FILE, "utf8").catch(() => undefined);
  return text === undefined ? EMPTY_LOCK : lockSchema.parse(JSON.parse(text));
}

/** Returns entries that a release has had in the file and this lock lacks. */
async function removed(lock: Lock): Promise<string[]> {
  const released = await releasedLocks(FILE);
  if (released === undefined) {
    console.error(`There is no git history, so ${FILE} was not compared with earlier releases.`);
    return [];
  }
  return released.flatMap(({ commit, lock: earlier }) =>
    rewritten(earlier, lock).map(
      (problem) =>
        `${problem}: commit ${commit} has it. Put it back: git checkout ${commit} -- ${FILE}, then --write`,
    ),
  );
}

function showCost(): void {
  const ofTools = costOfTools();
  const ofRoles = costOfRoles(policyInForce());
  if (options.json === true) return console.log(JSON.stringify({ tools: ofTools, roles: ofRoles }));
  const byTool = plainTable(["tool", "tokens, whole", "name, description and input"]);
  for (const { name, cost } of ofTools) byTool.push([name, cost.whole, cost.model]);
  const byRole = plainTable(["role", "tools", "tokens, whole", "at most", "names, descriptions and inputs"]);
  for (const { role, tools: count, cost, max } of ofRoles)
    byRole.push([role, count, cost.whole, max, cost.model]);
  console.log(
    `${byTool.toString()}\n${byRole.toString()}\nTokens of o200k_base, of tools/list as it is sent.`,
  );
}
