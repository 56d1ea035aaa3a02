import { demoKeys } from "../../cli/local/demo-users.ts";
import { importRecords } from "../../cli/import/import-records.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { scaledCatalog } from "../eval/scaled-catalog.ts";
import { signIn } from "../support/callers.ts";

const DAY = 86_400_000;

export interface Size {
  /** Each with a key, an audit and an incident. */
  callers: number;
  /** Records of the chain of `many-2`. */
  records: number;
  products?: number;
}

/** A server of a size. */
export interface Scaled {
  stateDir: string;
  url: string;
  /** The demo admin's access key. */
  key: string;
  /** Reads a page of the dashboard to its end, as the demo admin. */
  page(path: string): Promise<void>;
  /** Reads a list of the admin API. */
  api(path: string): Promise<void>;
  /** Writes a caller's chain; times in milliseconds. */
  fillChain(principal: string, count: number, span: { from: number; to: number }): Promise<void>;
  /** Makes a caller's alarm ring. */
  ring(principal: string): Promise<void>;
  /** Ends a caller's object, which wakes up at the next request. */
  end(principal: string): Promise<void>;
  /** Asks a caller's object for nothing. */
  ping(principal: string): Promise<void>;
  /** How many records a caller's chain has. */
  records(principal: string): Promise<number>;
  server: LocalServer;
}

export async function startScaled(stateDir: string, size: Size): Promise<Scaled> {
  const server = await startServer({ stateDir, entrypoint: "lab/scale/worker.ts" });
  const keys = await demoKeys(server, stateDir);
  const key = keys["user-admin"] ?? "";
  const ask = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await fetch(`${server.url}${path}`, { redirect: "manual", ...init });
    if (response.status >= 400) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const scale = async (path: string, query: Record<string, string | number>): Promise<unknown> => {
    const words = Object.entries(query).map(([name, value]) => [name, String(value)]);
    return (await ask(`/__scale/${path}?${new URLSearchParams(words)}`)).json();
  };
  const fillChain: Scaled["fillChain"] = async (principal, records, { from, to }) => {
    await scale("chain", { principal, count: records, from, to, retention: 30 * DAY });
  };

  if (size.products !== undefined) await importRecords(server, scaledCatalog(size.products));
  await seed(server, size.callers);
  await scale("index", { from: 1, to: size.callers });
  await scale("seals", {});
  const now = Date.now();
  await fillChain("many-2", size.records, { from: now - 25 * DAY, to: now - 1_000 });
  const cookie = await signIn(server.url, key);
  return {
    stateDir,
    url: server.url,
    key,
    async page(path) {
      const response = await ask(path, { headers: { cookie } });
      if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
      await response.text();
    },
    async api(path) {
      const headers = { authorization: `Bearer ${key}` };
      await (await ask(`/admin/api${path}`, { headers })).text();
    },
    fillChain,
    ring: async (principal) => void (await scale("ring", { principal })),
    end: async (principal) => void (await scale("end", { principal })),
    ping: async (principal) => void (await scale("ping", { principal })),
    records: async (principal) => Number(await scale("count", { principal })),
    server,
  };
}

/** Rows of D1 in pieces: one statement for all would be a transaction of minutes. */
async function seed(server: LocalServer, count: number): Promise<void> {
  const piece = 10_000;
  for (let from = 1; from <= count; from += piece) {
    const to = Math.min(count, from + piece - 1);
    await server.batch(rowsOf(from, to).map((sql) => ({ sql, values: [] })));
  }
  // Its object writes the row.
  await server.batch([{ sql: "DELETE FROM audit_anchors WHERE principal = 'many-2'", values: [] }]);
}

function rowsOf(from: number, to: number): string[] {
  const now = Date.now();
  const numbers = `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})`;
  const insert = (columns: string, values: string) =>
    `INSERT INTO ${columns} ${numbers} SELECT ${values} FROM n`;
  const who = "CASE WHEN i % 2 THEN 'anon-' || i ELSE 'many-' || i END";
  return [
    insert("users (id, kind, name, created_at)", "'many-' || i, 'user', 'Ada Number ' || i, i"),
    insert("user_roles (user_id, role)", "'many-' || i, 'shopper'"),
    insert(
      "access_keys (id, hash, user_id, label, created_at)",
      "'key-many-' || i, 'hash-' || i, 'many-' || i, 'x', i",
    ),
    insert(
      "signing_keys (id, user_id, label, algorithm, created_at)",
      "'sign-many-' || i, 'many-' || i, 'x', 'hmac-sha256', i",
    ),
    insert(
      "audit_anchors (principal, started_at, seq, hash, checkpoint_seq, checkpoint_hash, anchored_at, spoke_at)",
      `${who}, 1, 10, 'h', 0, 'h', ${now} - i, ${now} - i`,
    ),
    insert(
      `incidents (id, principal, rule, rule_version, verdict, severity, tool, observed, threshold, window_ms, events,
         first_at, last_at, count, status, decided_at)`,
      `printf('%022d', i), ${who}, 'catalog-guessing', 1, CASE WHEN i % 8 = 2 THEN 'confirm' ELSE 'throttle' END, 'medium',
         'get_product', 61, 60, 600000, '[1,3,5]', 1, ${now} - i, 1, CASE WHEN i % 4 < 3 THEN 'open' ELSE 'closed' END,
         CASE WHEN i % 4 < 3 THEN NULL ELSE 1 END`,
    ),
  ];
}
