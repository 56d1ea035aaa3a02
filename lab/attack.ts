// lab attack: runs an attack live against the Worker on this machine, and replays its audit.

import { randomBytes } from "node:crypto";
import { Argument } from "commander";
import { callAdmin } from "../cli/admin/client.ts";
import { wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { DEFAULT_STATE_DIR, type LocalServer, findServer, withServer } from "../cli/local/server.ts";
import { readAudit } from "../cli/replay/read-audit.ts";
import { SHIPPED_POLICY, readRules } from "../cli/replay/read-rules.ts";
import { type Replay, replay } from "../cli/replay/replay.ts";
import { fillNewState } from "../cli/sample/fill-new-state.ts";
import { detectorOf } from "../src/detection/detector.ts";
import { NEW_CALLERS } from "../src/identity/lineage.ts";
import { plural } from "../src/web/admin/units.ts";
import { LIVE_FAMILIES, attackCalls } from "./attack/live-attack.ts";
import { MANY_ACCOUNTS, playManyAccounts } from "./attack/many-accounts.ts";
import { play } from "./attack/play.ts";
import { type World, readWorld } from "./attack/world.ts";
import { addCallers } from "./support/callers.ts";

const program = commandOf("lab attack")
  .description(
    "Run an attack as a new user against the running npm run dev, or a server of its own, then replay that user's " +
      "audit. Exit code 0 if both end the same way. Calls are made without the pauses of a trace.",
  )
  .addArgument(new Argument("<family>", "what to do").choices(LIVE_FAMILIES))
  .option("--seed <number>", "number of the family's trace", wholeNumber, 1)
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .option("--json", "print JSON")
  .parse();
const { seed, state, json } = program.opts<{ seed: number; state: string; json?: boolean }>();
const [family = ""] = program.args;

const goesOn = (await findServer(state)) !== undefined;
await withServer({ stateDir: state }, attack);

async function attack(server: LocalServer): Promise<void> {
  await fillNewState(server, state);
  const world = await readWorld(server);
  if (family === MANY_ACCOUNTS) return attackWithMany(server, world);
  const { calls, role, prepare } = attackCalls(family, seed, world);
  const user = `attacker-${randomBytes(4).toString("hex")}`;
  const [key = ""] = await addCallers(server, [user], role);
  const statements = prepare(user);
  if (statements.length > 0) await server.batch(statements);
  const live = await play(server.url, key, calls);
  const { line: replayed, subjectsAnswered } = await replayAudit(user);
  const isSame =
    (live.action === replayed.action || (live.action === "allow" && replayed.action === "flag")) &&
    live.people_before === subjectsAnswered;
  process.exitCode = isSame ? 0 : 1;
  if (json === true) return console.log(JSON.stringify({ family, user, live, replayed, same: isSame }));
  const words = (people: number, products: number) =>
    `${plural(people, "person", "people")} and ${plural(products, "product")}`;
  console.log(
    `${family} as ${user}: ${live.action} after ${plural(live.calls, "call")}, ${words(live.people_before, live.products_before)}.`,
  );
  console.log(
    `Replay of its audit: ${replayed.action}, ${words(subjectsAnswered, replayed.objects_before)} (rules: ${replayed.rules.join(", ") || "none"}). ${isSame ? "The same." : "NOT the same."}`,
  );
  if (live.confirm_at !== null && goesOn)
    console.log(`Sign in with the demo admin's key and decide: ${live.confirm_at}`);
}

/**
 * Attacks by twenty accounts at once, and replays the audits in which their readings count together: that of the admin who
 * made them, and that of all new callers.
 */
async function attackWithMany(server: LocalServer, world: World): Promise<void> {
  const live = await playManyAccounts(server, world, (method, path, body) =>
    callAdmin({ state }, method, path, body),
  );
  const audits = await Promise.all(["user-admin", NEW_CALLERS].map(replayAudit));
  const stopping = audits.find(({ line }) => line.action !== "allow") ?? audits[0];
  const replayed = stopping?.line;
  const isSame = live.action === replayed?.action && live.people_before === stopping?.subjectsAnswered;
  process.exitCode = isSame ? 0 : 1;
  if (json === true)
    return console.log(JSON.stringify({ family, user: "user-admin", live, replayed, same: isSame }));
  console.log(
    `${family}: ${live.action} after ${plural(live.people_before, "person", "people")} of ${live.victims}. ` +
      `Replay of the shared audit: ${replayed?.action}, ${plural(stopping?.subjectsAnswered ?? 0, "person", "people")} ` +
      `(rules: ${replayed?.rules.join(", ")}).`,
  );
}

async function replayAudit(user: string): Promise<Replay> {
  const response = await callAdmin({ state }, "GET", `/audit/${encodeURIComponent(user)}`);
  const bytes = (async function* whole() {
    yield Buffer.from(await response.arrayBuffer());
  })();
  const detector = detectorOf(await readRules(SHIPPED_POLICY));
  for await (const recording of readAudit(user, bytes)) return replay(recording, detector);
  throw new Error("The audit is empty.");
}
