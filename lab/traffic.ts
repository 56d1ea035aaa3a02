// lab traffic: runs honest and toxic callers at once against the Worker on this machine, so that the
// dashboard has something to show.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { plural } from "../src/web/admin/units.ts";
import { wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { attackCalls } from "./attack/families.ts";
import { type Played, play } from "./attack/play.ts";
import { type World, readWorld } from "./attack/world.ts";
import { DEFAULT_STATE_DIR, type LocalServer, findServer } from "../cli/local/server.ts";
import { isLoopback } from "../cli/safe-url.ts";
import { fillCatalogWhereEmpty } from "../cli/sample/fill-catalog.ts";
import { fillDeskWhereEmpty } from "../cli/sample/fill-desk.ts";
import { plainTable } from "../cli/table.ts";
import { HONEST, type Tally, behave } from "./traffic/honest.ts";

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

// Loaded after the command is set up: these modules read policy.json, and the command reports it if that is
// not JSON.
const { addUser, createKey } = await import("../src/identity/administration.ts");
const { demoKeys } = await import("../cli/local/demo-users.ts");

const done = { calls: 0, refused: 0 };

try {
  const server = await findServer(options.state);
  if (server === undefined) throw new Error("No server runs on this machine. Start one with npm run dev.");
  if (!isLoopback(new URL(server.url)))
    throw new Error(`${server.url} is not on this machine. Demo traffic only runs against npm run dev.`);
  await run(server);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

interface Row {
  caller: string;
  about: string;
  calls: number;
  ended: string;
}

async function run(server: LocalServer): Promise<void> {
  const keys = await demoKeys(server, options.state);
  await fillDeskWhereEmpty(server);
  await fillCatalogWhereEmpty(server);
  const world = await readWorld(server);
  const deadline = Date.now() + options.seconds * 1000;
  const timer = setInterval(() => progress(deadline), process.stderr.isTTY ? 500 : 10_000).unref();
  const rows = await Promise.all([...honestRows(server, world), ...toxicRows(server, world, deadline)]);
  clearInterval(timer);
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  report(server.url, keys["user-admin"], rows);
  // Does not wait for a toxic caller that still waits out a throttle.
  process.exit();
}

function honestRows(server: LocalServer, world: World): Promise<Row>[] {
  return HONEST.map(async (honest) => {
    const { user, key } = await newCaller(server, honest.name, honest.role);
    const calls = Math.floor(options.calls / HONEST.length);
    const milliseconds = options.seconds * 1000;
    const tally = await behave(honest, world, { url: server.url, key, calls, milliseconds }, count);
    return { caller: user, about: honest.about, calls: tally.calls, ended: endOf(tally) };
  });
}

function toxicRows(server: LocalServer, world: World, deadline: number): Promise<Row>[] {
  return TOXIC.map(async ({ name, family, from, about }, index) => {
    await sleep(from * options.seconds * 1000);
    const { calls, role } = attackCalls(family, index + 1, world);
    const { user, key } = await newCaller(server, name, role);
    let before = 0;
    const playing = play(server.url, key, calls, (made) => {
      for (; before < made; before++) count(undefined);
    });
    const late = sleep(Math.max(0, deadline - Date.now())).then(() => undefined);
    const played = await Promise.race([playing, late]);
    if (played !== undefined && played.action !== "allow") done.refused += 1;
    return { caller: user, about, calls: before, ended: played === undefined ? "still waits" : ends(played) };
  });
}

async function newCaller(server: LocalServer, name: string, role: string) {
  const user = `${name}-${randomBytes(2).toString("hex")}`;
  const now = Date.now();
  const key = createKey({ user, label: "demo traffic" }, now);
  await server.batch([
    ...addUser({ id: user, kind: "service", name: `Demo: ${name}`, roles: [role] }, now),
    key.statement,
  ]);
  return { user, key: key.secret };
}

function count(refused: string | undefined): void {
  done.calls += 1;
  if (refused !== undefined) done.refused += 1;
}

function endOf({ refused }: Tally): string {
  const codes = Object.entries(refused).map(([code, times]) => `${times} ${code}`);
  return codes.length === 0 ? "answered" : `answered, but ${codes.join(", ")}`;
}

function ends({ action, people_before, products_before }: Played): string {
  const said: Record<Played["action"], string> = {
    allow: "answered, and only recorded",
    flag: "answered, and only recorded",
    throttle: "told to wait",
    confirm: "waits for a person",
    block: "blocked",
  };
  return `${said[action]} after ${plural(people_before, "person", "people")}, ${plural(products_before, "product")}`;
}

function progress(deadline: number): void {
  const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
  const line = `${left} s left, ${done.calls} calls, ${done.refused} refused`;
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
}

function report(url: string, adminKey: string | undefined, rows: Row[]): void {
  if (options.json === true)
    return console.log(JSON.stringify({ ...done, dashboard: `${url}/admin`, callers: rows }));
  const table = plainTable(["caller", "what it does", "calls", "how it ended"]);
  for (const { caller, about, calls, ended } of rows) table.push([caller, about, calls, ended]);
  console.log(`${table.toString()}\n${done.calls} calls. Open the dashboard: ${url}/admin`);
  console.log(
    adminKey === undefined
      ? "Sign in with the access key of an admin."
      : `Sign in as the demo admin with the access key ${adminKey}`,
  );
}
