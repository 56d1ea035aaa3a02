// lab attack: runs an attack live against the Worker on this machine, and replays its audit.

import { randomBytes } from "node:crypto";
import { Argument } from "commander";
import { commandOf } from "../cli/command.ts";
import { wholeNumber } from "../cli/arguments.ts";
import { plural } from "../src/web/admin/units.ts";
import { detectorOf } from "../src/detection/detector.ts";
import { callAdmin } from "../cli/admin/client.ts";
import { LIVE_FAMILIES, attackCalls } from "./attack/families.ts";
import { type Played, play } from "./attack/play.ts";
import { readWorld } from "./attack/world.ts";
import { DEFAULT_STATE_DIR, type LocalServer, findServer, withServer } from "../cli/local/server.ts";
import { readAudit } from "../cli/replay/read-audit.ts";
import { SHIPPED_POLICY, readRules } from "../cli/replay/read-rules.ts";
import { type Details, lineOf, replay } from "../cli/replay/replay.ts";
import { fillCatalogWhereEmpty } from "../cli/sample/fill-catalog.ts";
import { fillDeskWhereEmpty } from "../cli/sample/fill-desk.ts";

const { args, ...program } = parse();
const options = program.options;
// Loaded after the command is set up: these modules read policy.json, and the command reports it if that is
// not JSON.
const { addUser, createKey } = await import("../src/identity/administration.ts");
const { demoKeys } = await import("../cli/local/demo-users.ts");

try {
  const goesOn = (await findServer(options.state)) !== undefined;
  await withServer({ stateDir: options.state }, (server) => attack(server, goesOn));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}

function parse() {
  const command = commandOf("lab attack")
    .description(
      "Run an attack as a new user against the running npm run dev, or a server of its own, then replay that user's " +
        "audit. Exit code 0 if both end the same way. Calls are made without the pauses of a trace.",
    )
    .addArgument(new Argument("<family>", "what to do").choices(LIVE_FAMILIES))
    .option("--seed <number>", "number of the family's trace", wholeNumber, 1)
    .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
    .option("--json", "print JSON")
    .parse();
  return { args: command.args, options: command.opts<{ seed: number; state: string; json?: boolean }>() };
}

/** `goesOn` says whether the server keeps running afterwards. */
async function attack(server: LocalServer, goesOn: boolean): Promise<void> {
  const [family = ""] = args;
  await demoKeys(server, options.state);
  await fillDeskWhereEmpty(server);
  await fillCatalogWhereEmpty(server);
  const { calls, role } = attackCalls(family, options.seed, await readWorld(server));

  const user = `attacker-${randomBytes(4).toString("hex")}`;
  const now = Date.now();
  const key = createKey({ user, label: family }, now);
  await server.batch([
    ...addUser({ id: user, kind: "user", name: `Attack: ${family}`, roles: [role] }, now),
    key.statement,
  ]);
  const live = await play(server.url, key.secret, calls, progress);
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  report(family, user, live, await replayAudit(user));
  if (live.confirm_at === null || options.json === true) return;
  console.log(
    goesOn
      ? `Sign in with the demo admin's key and decide: ${live.confirm_at}`
      : "Its server has stopped, so nobody can decide. Start npm run dev and run this again.",
  );
}

function progress(done: number, waitingMs: number): void {
  const wait = waitingMs > 0 ? `, waiting ${Math.ceil(waitingMs / 1000)} s for the rate limit` : "";
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${done} calls${wait}`);
  else if (waitingMs > 0) process.stderr.write(`${done} calls${wait}\n`);
}

async function replayAudit(user: string): Promise<Details> {
  const response = await callAdmin({ state: options.state }, "GET", `/audit/${user}`);
  const bytes = (async function* whole() {
    yield Buffer.from(await response.arrayBuffer());
  })();
  const detector = detectorOf(await readRules(SHIPPED_POLICY));
  for await (const recording of readAudit(user, bytes)) return replay(recording, detector);
  throw new Error("The audit is empty.");
}

function report(family: string, user: string, live: Played, replayed: Details): void {
  const isSame =
    (live.action === replayed.action || (live.action === "allow" && replayed.action === "flag")) &&
    live.people_before === replayed.subjects_answered;
  process.exitCode = isSame ? 0 : 1;
  if (options.json === true) {
    console.log(JSON.stringify({ family, user, live, replayed: lineOf(replayed), same: isSame }));
    return;
  }
  const { action, people_before, products_before, calls } = live;
  console.log(
    `${family} as ${user}: ${action} after ${plural(calls, "call")}, ${dataWords(people_before, products_before)}.`,
  );
  console.log(
    `Replay of its audit: ${replayed.action}, ${dataWords(replayed.subjects_answered, replayed.objects_before)}` +
      `${replayed.rules.length > 0 ? ` (${replayed.rules.join(", ")})` : ""}. ${isSame ? "The same." : "NOT the same."}`,
  );
}

function dataWords(people: number, products: number): string {
  return `${plural(people, "person", "people")} and ${plural(products, "product")}`;
}
