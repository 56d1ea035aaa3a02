import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { api } from "../identity/support/admin-api.ts";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { keyOf } from "../identity/support/people.ts";

// Pages and lists read as many rows with many callers as with few.

const FEW = 150;
const MANY = 3_000;
const NOW = Date.now();

/**
 * Creates numbered users and anonymous callers, each with a key, an audit and an incident, half of them
 * decided.
 */
async function seed(from: number, to: number): Promise<void> {
  const numbers = `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to - 1})`;
  const insert = (columns: string, values: string) =>
    `INSERT INTO ${columns} ${numbers} SELECT ${values} FROM n`;
  const who = "CASE WHEN i % 2 THEN 'anon-' || i ELSE 'many-' || i END";
  const sql = [
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
      `audit_anchors (principal, started_at, seq, hash, checkpoint_seq, checkpoint_hash, anchored_at, spoke_at)`,
      `${who}, 1, 10, 'h', 0, 'h', ${NOW} - i, ${NOW} - i`,
    ),
    insert(
      `incidents (id, principal, rule, rule_version, verdict, severity, tool, observed, threshold, window_ms, events,
         first_at, last_at, count, status, decided_at)`,
      `printf('%022d', i), ${who}, 'catalog-guessing', 1, 'throttle', 'medium', 'get_product', 61, 60, 600000, '[1]',
         1, ${NOW} - i, 1, CASE WHEN i % 4 < 2 THEN 'open' ELSE 'closed' END, CASE WHEN i % 4 < 2 THEN NULL ELSE 1 END`,
    ),
  ];
  await env.DB.batch(sql.map((each) => env.DB.prepare(each)));
}

let key: string;
let admin: Browser;
beforeAll(async () => {
  await ensureMigrated(env.DB);
  key = await keyOf(["admin"]);
  admin = await signedIn(key);
  await seed(1, FEW);
});
afterEach(() => void vi.restoreAllMocks());

const PAGES = [
  "/admin",
  "/admin/incidents",
  "/admin/incidents?which=all",
  "/admin/incidents?folded=catalog-guessing",
  "/admin/callers",
  "/admin/callers?q=ada",
  "/admin/callers?q=anon",
  "/admin/callers/many-2",
  "/admin/callers/anon-1",
  "/admin/audit",
  "/admin/policy",
];
const LISTS = [
  "/users",
  "/keys",
  "/keys?user=many-2",
  "/signing-keys",
  "/signing-keys?user=many-2",
  "/incidents",
  "/incidents?which=open",
  "/incidents?folded=catalog-guessing",
  "/audit",
];
const ALL = [
  ...PAGES.map((path) => [path, () => admin.request(path)] as const),
  ...LISTS.map((path) => [`API ${path}`, () => api(key, "GET", path)] as const),
];

interface GuardedCall {
  sql: string;
  values: unknown[];
}

/** Returns the statements that D1 ran meanwhile, and how many rows they read. */
async function watched(work: () => Promise<Response>) {
  const statements: (GuardedCall & { rows: number })[] = [];
  const prepare = env.DB.prepare.bind(env.DB);
  const askedBy = new WeakMap<D1PreparedStatement, GuardedCall>();
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    const statement = prepare(sql);
    const watch = (each: D1PreparedStatement, values: unknown[]): D1PreparedStatement => {
      askedBy.set(each, { sql, values });
      const bind = each.bind.bind(each);
      each.bind = (...given) => watch(bind(...given), given);
      // A query for one row does not report rows read; all() does.
      const all = each.all.bind(each);
      each.all = async <T>() => {
        const result = await all<T>();
        statements.push({ sql, values, rows: result.meta.rows_read });
        return result;
      };
      const first = async (): Promise<unknown> => (await each.all()).results[0] ?? null;
      Object.assign(each, { first });
      return each;
    };
    return watch(statement, []);
  });
  const batch = env.DB.batch.bind(env.DB);
  vi.spyOn(env.DB, "batch").mockImplementation(async <T>(given: D1PreparedStatement[]) => {
    const results = await batch<T>(given);
    for (const [index, each] of given.entries())
      statements.push({
        sql: "",
        values: [],
        ...askedBy.get(each),
        rows: results[index]?.meta.rows_read ?? 0,
      });
    return results;
  });
  const response = await work();
  await response.text();
  vi.restoreAllMocks();
  return { status: response.status, statements };
}

const planSchema = z.array(z.object({ detail: z.string() }));
/**
 * Small scans: a row per rule and urgency, a list in a parameter, or the result of another step of the plan.
 */
const SMALL = /^SCAN (open_incidents|o|r|json_each|found|CONSTANT ROW|\(subquery-\d+\))(?= |$)/;
/** Returns the steps of a query plan that read a whole table or index. */
async function scansIn({ sql, values }: GuardedCall): Promise<string[]> {
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...values)
    .all();
  return planSchema
    .parse(results)
    .map(({ detail }) => detail)
    .filter(
      (detail) => detail.startsWith("SCAN ") && !detail.includes("VIRTUAL TABLE") && !SMALL.test(detail),
    );
}

it("no page or list scans a table or reads more rows with many callers", async () => {
  const before = new Map<string, number>();
  const scans = new Set<string>();
  for (const [path, work] of ALL) {
    const { status, statements } = await watched(work);
    expect({ path, status, isWatched: statements.length > 0 }).toEqual({
      path,
      status: 200,
      isWatched: true,
    });
    before.set(path, sumOf(statements));
    for (const asked of statements)
      if (/^\s*(SELECT|WITH)/i.test(asked.sql))
        for (const scan of await scansIn(asked)) scans.add(`${path}: ${scan}: ${asked.sql}`);
  }
  expect([...scans]).toEqual([]);
  await seed(FEW, MANY);
  const more: string[] = [];
  for (const [path, work] of ALL) {
    const rows = sumOf((await watched(work)).statements);
    if (rows > 3 * (before.get(path) ?? 0)) more.push(`${path}: ${before.get(path)} rows, then ${rows}`);
  }
  expect(more).toEqual([]);
}, 120_000);

const sumOf = (statements: readonly { rows: number }[]) =>
  statements.reduce((sum, { rows }) => sum + rows, 0);
