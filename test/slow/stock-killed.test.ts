import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type LocalServer, findServer, startServer } from "../../cli/local/server.ts";
import { addUser, createKey } from "../../src/identity/administration.ts";
import { product, query, seed } from "../node/support/imports.ts";
import { endGroups, groupMembers, startCommand } from "../node/support/processes.ts";
import { callTool } from "./support/mcp-call.ts";

// kill -9 of the server and its runtime in the middle of a thousand writes.

/** Each caller sends 42 writes, twice: fewer than it may in a minute. */
const CALLERS = 24;
const WRITES = 42;
const KILLED_AFTER = 400;
const PRODUCTS = 10;
const UNITS = 10_000;

let folder: string;
let state: string;
const keys: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-killed-test-"));
  state = join(folder, "state");
  const server = await startServer({ stateDir: state, onLog: () => {} });
  const stock = ["east", "west"].map((warehouse) => ({ warehouse, quantity: UNITS }));
  await seed(
    server,
    Array.from({ length: PRODUCTS }, (_, each) => product({ sku: `KILL-${each}`, stock })),
  );
  const now = Date.now();
  for (let each = 0; each < CALLERS; each++) {
    const id = `clerk-${each}`;
    const key = createKey({ user: id, label: "test" }, now);
    await server.batch([
      ...addUser({ id, kind: "user", name: id, roles: ["inventory"] }, now),
      key.statement,
    ]);
    keys.push(key.secret);
  }
  await server.close();
});
afterAll(async () => {
  await endGroups();
  await rm(folder, { recursive: true });
});

async function startDev(): Promise<{ server: LocalServer; kill: () => Promise<void> }> {
  const running = startCommand("dev", ["--port", "0", "--state", state], { ownGroup: true });
  await running.prints("Ctrl-C");
  const server = await findServer(state);
  if (server === undefined) throw new Error("The server has no lock.");
  return {
    server,
    async kill() {
      process.kill(-running.pid, "SIGKILL");
      await running.exited;
      while ((await groupMembers(running.pid)).includes("workerd")) await sleep(20);
    },
  };
}

interface Write {
  caller: number;
  tool: "update_inventory" | "reserve_stock";
  args: { idempotency_key: string } & Record<string, unknown>;
}

/** Every third write holds two places, the others take a unit from both. */
function writesOf(caller: number): Write[] {
  return Array.from({ length: WRITES }, (_, each) => {
    const sku = `KILL-${(caller + each) % PRODUCTS}`;
    const both = ["east", "west"].map((warehouse) => ({ sku, warehouse }));
    const common = { reason: "An order", idempotency_key: `write-${caller}-${each}` };
    return each % 3 === 2
      ? {
          caller,
          tool: "reserve_stock",
          args: { ...common, items: both.map((at) => ({ ...at, quantity: 1 })), minutes: 60 },
        }
      : {
          caller,
          tool: "update_inventory",
          args: { ...common, changes: both.map((at) => ({ ...at, delta: -1 })) },
        };
  });
}

/** Sends a write; undefined if no answer came. */
async function send(url: string, { caller, tool, args }: Write) {
  const answer = await callTool(url, keys[caller] ?? "", tool, args).catch(() => undefined);
  if (answer === undefined) return undefined;
  const { change_id, reservation_id, replayed } = answer.structuredContent ?? {};
  const id = change_id ?? reservation_id;
  return typeof id === "string" ? { id, replayed } : { failed: JSON.stringify(answer.content) };
}

const sums = z.object({ n: z.int() });
const numberIn = async (server: LocalServer, sql: string): Promise<number> => {
  const [[row] = []] = await query(server, sql);
  return sums.parse(row).n;
};

/** Expects that stock, records and holds say the same, and that nothing is there in half. */
async function expectWhole(server: LocalServer): Promise<void> {
  const ours = "(SELECT id FROM changes WHERE kind = 'update_inventory')";
  const [halves = []] = await query(
    server,
    `SELECT c.id FROM changes c WHERE kind = 'update_inventory'
       AND (SELECT count(*) FROM stock_changes WHERE change_id = c.id) <> 2
     UNION ALL SELECT c.id FROM changes c WHERE kind = 'reserve_stock'
       AND (SELECT count(*) FROM reservations r JOIN holds h ON h.reservation_id = r.id WHERE r.change_id = c.id) <> 2
     UNION ALL SELECT r.id FROM reservations r WHERE NOT EXISTS (SELECT 1 FROM changes WHERE id = r.change_id)
     UNION ALL SELECT reservation_id FROM holds WHERE reservation_id NOT IN (SELECT id FROM reservations)`,
  );
  expect(halves).toEqual([]);
  const [wrong = []] = await query(
    server,
    `SELECT s.product_id FROM stock s JOIN products p ON p.id = s.product_id WHERE p.sku LIKE 'KILL-%'
       AND (s.quantity <> ${UNITS} - (SELECT count(*) FROM stock_changes l
              WHERE l.product_id = s.product_id AND l.warehouse = s.warehouse AND l.change_id IN ${ours})
         OR s.version <> 1 + (SELECT count(*) FROM stock_changes l
              WHERE l.product_id = s.product_id AND l.warehouse = s.warehouse AND l.change_id IN ${ours}))`,
  );
  expect(wrong).toEqual([]);
}

it(
  "keeps every acknowledged write, once and whole, and replays it after kill -9",
  { timeout: 300_000 },
  async () => {
    const writes = keys.map((_, caller) => writesOf(caller));
    const acknowledged = new Map<Write, string>();
    const failed: unknown[] = [];
    const first = await startDev();
    let kill: Promise<void> | undefined;
    await Promise.all(
      writes.map(async (own) => {
        for (const write of own) {
          if (kill !== undefined) return;
          const answer = await send(first.server.url, write);
          if (answer === undefined) return;
          if (answer.id === undefined) failed.push(answer.failed);
          else acknowledged.set(write, answer.id);
          // The others are in the middle of their calls.
          if (acknowledged.size >= KILLED_AFTER) kill ??= first.kill();
        }
      }),
    );
    await kill;
    expect(failed).toEqual([]);
    expect(acknowledged.size).toBeGreaterThanOrEqual(KILLED_AFTER);
    expect(acknowledged.size).toBeLessThan(CALLERS * WRITES);

    const { server, kill: end } = await startDev();
    await expectWhole(server);
    const stored = await numberIn(server, "SELECT count(*) AS n FROM changes");
    expect(stored).toBeGreaterThanOrEqual(acknowledged.size);
    // A call of each caller may have been stored without an answer.
    expect(stored).toBeLessThanOrEqual(acknowledged.size + CALLERS);

    const again = await Promise.all(
      writes.map(async (own) => {
        const answers = [];
        for (const write of own) answers.push({ write, answer: await send(server.url, write) });
        return answers;
      }),
    );
    for (const { write, answer } of again.flat()) {
      const before = acknowledged.get(write);
      expect(answer).toMatchObject(
        before === undefined ? { id: expect.any(String) } : { id: before, replayed: true },
      );
    }
    expect(again.flat().filter(({ answer }) => answer?.replayed === true)).toHaveLength(stored);
    expect(await numberIn(server, "SELECT count(*) AS n FROM changes")).toBe(CALLERS * WRITES);
    await expectWhole(server);
    await end();
  },
);
