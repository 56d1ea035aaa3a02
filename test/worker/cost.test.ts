import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import page from "../../docs/deploy.md?raw";
import { generateProducts } from "../../cli/sample/generate.ts";
import { createCatalog } from "../../src/catalog/repository.ts";
import { bearer, post } from "./identity/support/deployed.ts";
import { newKey, newUser } from "./identity/support/people.ts";
import { recordsOf } from "./support/caller.ts";
import { fill } from "./support/catalog.ts";
import { ADA, fillDesk } from "./support/desk.ts";
import { modern } from "./support/modern.ts";
import { sessionsByBinding } from "./support/sessions.ts";

// Rows per call as the runtime counts them and Cloudflare bills them; docs/deploy.md multiplies them by its
// prices.

const PRODUCTS = 20_000;
const CALLS = 20;

beforeAll(async () => {
  const products = [...generateProducts(PRODUCTS, 1)];
  for (let at = 0; at < products.length; at += 1_000) await fill(products.slice(at, at + 1_000));
  await fillDesk();
  const variant = products.find(({ group }) => group !== undefined);
  // From the first variant that an isolate finds, its searches read more rows.
  const { products: found } = await createCatalog(env.DB).search({
    query: variant?.group?.name ?? "",
    sort: "relevance",
    limit: 10,
    now: Date.now(),
  });
  if (!found.some(({ group }) => group !== undefined)) throw new Error("The search found no variant.");
}, 60_000);
afterEach(() => vi.restoreAllMocks());

/** Collects the statements sent to D1 until `stop`, with their values. */
function listenToD1() {
  sessionsByBinding();
  const asked: D1PreparedStatement[] = [];
  const prepare = env.DB.prepare.bind(env.DB);
  const spy = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    const statement = prepare(sql);
    // An isolate reads the catalog's size once a minute, whoever calls.
    if (sql.includes("active_products, changed_at")) return statement;
    const at = asked.push(statement) - 1;
    const bind = statement.bind.bind(statement);
    vi.spyOn(statement, "bind").mockImplementation((...values) => (asked[at] = bind(...values)));
    return statement;
  });
  return { asked, stop: () => spy.mockRestore() };
}

/** Counts the rows read by running the statements again, because the product does not use the count. */
async function rowsRead(asked: readonly D1PreparedStatement[]): Promise<number> {
  let rows = 0;
  for (const statement of asked) rows += (await statement.all()).meta.rows_read;
  return rows;
}

/**
 * Returns the cost of a call after a caller's first, which creates the object's tables and its anchor. Rows
 * written are averaged.
 */
async function measure(tool: string, args: object, role: string) {
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
  const { asked, stop } = listenToD1();
  await call(4);
  stop();
  // Writes that several calls share are divided among them.
  for (let made = 2; made <= CALLS; made++) await call(2 + 2 * made);
  const written = exec.mock.results.map(({ value }): number => value.rowsWritten);
  return { read: await rowsRead(asked), written: written.reduce((sum, rows) => sum + rows, 0) / CALLS };
}

it.each([
  ["search_products", { query: "wireless keyboard" }, "shopper"],
  ["get_product", { sku: "SKU-10001" }, "shopper"],
  ["query_stock", { skus: ["SKU-10001"] }, "shopper"],
  ["list_categories", {}, "shopper"],
  ["get_customer", { customer_id: ADA }, "support"],
])("%s costs no more rows than docs/deploy.md says", async (tool, args, role) => {
  const [, read = "", written = ""] =
    new RegExp(`^\\| \`${tool}\` \\| ([\\d,]+) \\| (\\d+) \\|`, "m").exec(page) ?? [];
  const rows = await measure(tool, args, role);
  console.log(tool, rows);
  expect(rows.read).toBeLessThanOrEqual(Number(read.replace(",", "")));
  expect(rows.written).toBeLessThanOrEqual(Number(written));
  expect(rows.written).toBeGreaterThan(0);
});
