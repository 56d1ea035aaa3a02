// lab traffic: runs honest and toxic callers at once against the Worker on this machine, so that the
// dashboard has something to show.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { DEFAULT_STATE_DIR, findServer } from "../cli/local/server.ts";
import { isLoopback } from "../cli/safe-url.ts";
import { fillNewState } from "../cli/sample/fill-new-state.ts";
import { plainTable } from "../cli/table.ts";
import { plural } from "../src/web/admin/units.ts";
import { HONEST } from "./attack/honest.ts";
import { attackCalls } from "./attack/live-attack.ts";
import { type Played, call, play } from "./attack/play.ts";
import { readWorld } from "./attack/world.ts";
import { addCallers, connect } from "./support/callers.ts";

/** The toxic callers' attacks, and when each begins, as a share of the time. */
const TOXIC = [
  { name: "curious-intern", family: "canary", from: 0.08, about: "finds a planted customer" },
  { name: "export-script", family: "profile-loop", from: 0.2, about: "reads one customer after another" },
  { name: "inbox-agent", family: "tainted-write", from: 0.4, about: "obeys a customer's ticket" },
  { name: "order-guesser", family: "order-guessing", from: 0.55, about: "tries order numbers" },
  { name: "price-scraper", family: "catalog-by-stock", from: 0.7, about: "copies the catalog" },
];

const options = commandOf("lab traffic")
  .description(
    "Send traffic of honest and toxic callers, as new users, to the running npm run dev. It ends by itself and calls nothing else.",
  )
  .option("--seconds <number>", "how long it takes", wholeNumber, 60)
  .option("--calls <number>", "most calls of all honest callers together", wholeNumber, 400)
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .option("--json", "print JSON")
  .parse()
  .opts<{ seconds: number; calls: number; state: string; json?: boolean }>();

const server = await findServer(options.state);
if (server === undefined) throw new Error("No server runs on this machine. Start one with npm run dev.");
if (!isLoopback(new URL(server.url)))
  throw new Error(`${server.url} is not on this machine. Demo traffic only runs against npm run dev.`);
const { url } = server;
const adminKey = (await fillNewState(server, options.state))["user-admin"];
const world = await readWorld(server);
const milliseconds = options.seconds * 1000;
const deadline = Date.now() + milliseconds;
const done = { calls: 0, refused: 0 };
const progress = setInterval(() => {
  const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
  console.error(`${left} s left, ${done.calls} calls, ${done.refused} refused`);
}, 10_000);
const rows = await Promise.all([...HONEST.map(honestRow), ...TOXIC.map(toxicRow)]);
clearInterval(progress);
if (options.json === true) console.log(JSON.stringify({ ...done, dashboard: `${url}/admin`, callers: rows }));
else {
  const table = plainTable(["caller", "what it does", "calls", "how it ended"]);
  for (const { caller, about, calls, ended } of rows) table.push([caller, about, calls, ended]);
  console.log(`${table.toString()}\n${done.calls} calls. Open the dashboard: ${url}/admin`);
  console.log(
    `Sign in with the access key of ${adminKey === undefined ? "an admin" : `the demo admin: ${adminKey}`}`,
  );
}
// Does not wait for a toxic caller that still waits out a throttle.
process.exit();

interface Row {
  caller: string;
  about: string;
  calls: number;
  ended: string;
}

async function newCaller(name: string, role: string): Promise<[caller: string, key: string]> {
  const caller = `${name}-${randomBytes(2).toString("hex")}`;
  const [key = ""] = server === undefined ? [] : await addCallers(server, [caller], role);
  return [caller, key];
}

/** Makes its share of the calls evenly over the time. */
async function honestRow({ name, role, about, callOf }: (typeof HONEST)[number]): Promise<Row> {
  const [caller, key] = await newCaller(name, role);
  const client = await connect(url, key);
  const count = Math.floor(options.calls / HONEST.length);
  const started = Date.now();
  const refused = new Map<string, number>();
  let calls = 0;
  for (; calls < count && Date.now() <= started + milliseconds; calls++) {
    await sleep(Math.max(0, started + (calls * milliseconds) / count - Date.now()));
    const { refusal } = await call(client, callOf(calls, world));
    done.calls += 1;
    if (refusal === undefined) continue;
    done.refused += 1;
    refused.set(refusal.code, (refused.get(refusal.code) ?? 0) + 1);
  }
  await client.close();
  const codes = [...refused].map(([code, times]) => `${times} ${code}`).join(", ");
  return { caller, about, calls, ended: codes === "" ? "answered" : `answered, but ${codes}` };
}

async function toxicRow({ name, family, from, about }: (typeof TOXIC)[number], index: number): Promise<Row> {
  await sleep(from * milliseconds);
  const attack = attackCalls(family, index + 1, world);
  const [caller, key] = await newCaller(name, attack.role);
  let calls = 0;
  const playing = play(url, key, attack.calls, () => {
    calls += 1;
    done.calls += 1;
  });
  const late = sleep(Math.max(0, deadline - Date.now())).then(() => undefined);
  const played = await Promise.race([playing, late]);
  if (played !== undefined && played.action !== "allow") done.refused += 1;
  return { caller, about, calls, ended: played === undefined ? "still waits" : endOf(played) };
}

function endOf({ action, people_before, products_before }: Played): string {
  const said: Record<Played["action"], string> = {
    allow: "answered, and only recorded",
    flag: "answered, and only recorded",
    throttle: "told to wait",
    confirm: "waits for a person",
    block: "blocked",
  };
  return `${said[action]} after ${plural(people_before, "person", "people")}, ${plural(products_before, "product")}`;
}
