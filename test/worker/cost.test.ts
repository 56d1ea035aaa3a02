import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import page from "../../docs/deploy.md?raw";
import performancePage from "../../docs/performance.md?raw";
import { generateProducts } from "../../cli/sample/generate.ts";
import { bearer, post } from "./identity/support/deployed.ts";
import { newKey, newUser } from "./identity/support/people.ts";
import { recordsOf } from "./support/caller.ts";
import { fill } from "./support/catalog.ts";
import { ADA, fillDesk } from "./support/desk.ts";
import { modern } from "./support/modern.ts";
import { sessionsByBinding } from "./support/sessions.ts";

// Operations of a call, as the runtime counts them and Cloudflare bills them, and what a million searches cost. The tables of
// docs/deploy.md are this test's.

const PRODUCTS = 20_000;
const CALLS = 20;
/** Dollars that a million searches may cost. */
const MOST_DOLLARS = 3.4;
const OPERATIONS =
  "| call | D1 rows read | Durable Object requests | Durable Object rows written | KV reads |";
const PRICES = "| | price a million | included a month | a search | a million searches |";

beforeAll(async () => {
  const products = [...generateProducts(PRODUCTS, 1)];
  for (let at = 0; at < products.length; at += 1_000) await fill(products.slice(at, at + 1_000));
  await fillDesk();
}, 60_000);
afterEach(() => vi.restoreAllMocks());

/** Operations of one call, on average, without what a caller makes less often. */
interface Counted {
  rowsRead: number;
  objectRequests: number;
  rowsWritten: number;
  kvReads: number;
}

/** Counts what is sent to D1, the caller's object and KV until `stop`. */
function listen() {
  sessionsByBinding();
  const asked: D1PreparedStatement[] = [];
  const counts = { objectRequests: 0, kvReads: 0 };
  const prepare = env.DB.prepare.bind(env.DB);
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    const statement = prepare(sql);
    // The catalog's size is read once a minute in each isolate, whoever calls, and each caller's anchor is written once a minute.
    if (sql.includes("active_products, changed_at") || sql.includes("audit_anchors")) return statement;
    const at = asked.push(statement) - 1;
    const bind = statement.bind.bind(statement);
    vi.spyOn(statement, "bind").mockImplementation((...values) => (asked[at] = bind(...values)));
    return statement;
  });
  const getByName = env.USER_WINDOWS.getByName.bind(env.USER_WINDOWS);
  vi.spyOn(env.USER_WINDOWS, "getByName").mockImplementation(
    (name) =>
      new Proxy(getByName(name), {
        get(stub, method) {
          counts.objectRequests += 1;
          return Reflect.get(stub, method);
        },
      }),
  );
  const kvReads = [vi.spyOn(env.OAUTH_KV, "get"), vi.spyOn(env.OAUTH_KV, "getWithMetadata")];
  return {
    stop() {
      counts.kvReads = kvReads.reduce((sum, { mock }) => sum + mock.calls.length, 0);
      vi.restoreAllMocks();
      return { asked, ...counts };
    },
  };
}

/** Counts the rows read by running the statements again, because the product does not use the count. */
async function rowsRead(asked: readonly D1PreparedStatement[]): Promise<number> {
  let rows = 0;
  for (const statement of asked) rows += (await statement.all()).meta.rows_read;
  return rows;
}

/** Counts a caller's calls after its first, which creates the object's tables and its anchor. */
async function count(tool: string, args: object, role: string): Promise<Counted> {
  const user = await newUser([role]);
  const { secret } = await newKey(user);
  const object = env.USER_WINDOWS.getByName(user);
  const { body, headers } = modern("tools/call", { name: tool, arguments: args });
  const call = async (records: number) => {
    const response = await post(body, { ...headers, ...bearer(secret) });
    expect(await response.text()).not.toContain('"isError":true');
    // The outcome of a public call is written after the answer.
    await vi.waitFor(async () => expect(await recordsOf(object)).toHaveLength(records));
  };
  await call(2);
  const exec = await runInDurableObject(object, (_, { storage }) => vi.spyOn(storage.sql, "exec"));
  const written = () => exec.mock.results.reduce((sum, { value }) => sum + Number(value.rowsWritten), 0);
  const listening = listen();
  for (let made = 1; made <= CALLS; made++) await call(2 + 2 * made);
  const total = written();
  const { asked, objectRequests, kvReads } = listening.stop();
  const each = (sum: number): number => Math.round(sum / CALLS);
  return {
    rowsRead: each(await rowsRead(asked)),
    objectRequests: each(objectRequests),
    rowsWritten: each(total),
    kvReads: each(kvReads),
  };
}

const CALLED = [
  ["search_products", { query: "wireless keyboard" }, "shopper"],
  ["get_product", { sku: "SKU-10001" }, "shopper"],
  ["query_stock", { skus: ["SKU-10001"] }, "shopper"],
  ["list_categories", {}, "shopper"],
  ["get_customer", { customer_id: ADA }, "support"],
] as const;

/** Milliseconds of processor time of a search, as published. */
function publishedMs(): number {
  const figures = performancePage.slice(performancePage.indexOf("## Figures"));
  const header = /^│ {2,}│ calls\/s.*$/m
    .exec(figures)?.[0]
    .split("│")
    .map((cell) => cell.trim());
  const full = /^│ full +│.*$/m
    .exec(figures)?.[0]
    .split("│")
    .map((cell) => cell.trim());
  return Number(full?.[header?.indexOf("workerd CPU ms") ?? -1]);
}

/** GB-seconds of a call: an object has 128 MB, and works for 10 ms. */
const GB_SECONDS = 0.128 * 0.01;

/** The billed operations of a search. Prices are dollars a million, beyond what the paid plan includes. */
const billed = (search: Counted): [what: string, price: string, included: string, amount: number][] => [
  ["Worker requests", "0.30", "10 million", 1],
  ["processor ms", "0.02", "30 million", Number(publishedMs().toFixed(1))],
  ["Durable Object requests", "0.15", "1 million", search.objectRequests],
  ["Durable Object GB-s: 128 MB while it works, 10 ms assumed", "12.50", "400,000", GB_SECONDS],
  ["Durable Object rows written", "1.00", "50 million", search.rowsWritten],
  ["D1 rows read", "0.001", "25 billion", search.rowsRead],
  ["KV reads", "0.50", "10 million", search.kvReads],
];

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const shown = (amount: number): string => String(Number(amount.toFixed(5)));
const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

/** Returns the page with another table in the place of the one that has this header. */
function withTable(text: string, header: string, rows: readonly string[]): string {
  const lines = text.split("\n");
  const start = lines.indexOf(header);
  if (start < 0) throw new Error(`docs/deploy.md has no table with the header ${header}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return [...lines.slice(0, start + 2), ...rows, ...lines.slice(end)].join("\n");
}

it("docs/deploy.md has the counted operations and their price", async () => {
  const counted = new Map<string, Counted>();
  for (const [tool, args, role] of CALLED) counted.set(tool, await count(tool, args, role));
  const operations = Array.from(counted, ([tool, each]) =>
    row([`\`${tool}\``, ...[each.rowsRead, each.objectRequests, each.rowsWritten, each.kvReads].map(shown)]),
  );
  const search = counted.get("search_products");
  if (search === undefined) throw new Error("No search was counted.");
  const costs = billed(search).map((each) => ({ each, cost: Number(each[1]) * each[3] }));
  const sum = costs.reduce((total, { cost }) => total + cost, 0);
  const prices = costs.map(({ each: [what, price, included, amount], cost }) =>
    row([what, `$${price}`, included, shown(amount), dollars(cost)]),
  );
  const printed = withTable(withTable(page, OPERATIONS, operations), PRICES, [
    ...prices,
    `| **sum** | | | | **${dollars(sum)}** |`,
  ]);
  expect(sum).toBeLessThanOrEqual(MOST_DOLLARS);
  // `-u` writes the page.
  await expect(printed).toMatchFileSnapshot("../../docs/deploy.md");
}, 120_000);
