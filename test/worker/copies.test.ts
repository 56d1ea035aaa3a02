import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { resourceTemplates, resources } from "../../src/resources/registry.ts";
import { tools } from "../../src/tools/registry.ts";
import { post } from "./support/clients.ts";
import { ask, signedInAs } from "./support/desk.ts";
import { fillSample } from "./support/sample.ts";
import { makeExamples, newClerk } from "./support/stock.ts";

// With read replication, a copy of the database may lag behind the primary. A lagging copy may answer descriptions of the
// catalog, and nothing else.

let staff: Record<string, string>;
beforeAll(async () => {
  await fillSample();
  staff = await signedInAs(["support", "inventory"]);
  await makeExamples();
});
afterEach(() => vi.restoreAllMocks());

type Instance = "primary" | "any copy";
interface Sent {
  to: Instance;
  sql: string;
}

const instanceOf = (start: string | undefined): Instance =>
  start === "first-primary" ? "primary" : "any copy";

/** Notes each query, and the instance that may answer it. Queries without a session go to the primary. */
function watchQueries(): Sent[] {
  const sent: Sent[] = [];
  const prepare = env.DB.prepare.bind(env.DB);
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    sent.push({ to: "primary", sql });
    return prepare(sql);
  });
  const withSession = env.DB.withSession.bind(env.DB);
  vi.spyOn(env.DB, "withSession").mockImplementation((start) => {
    const session = withSession(start);
    const prepareIn = session.prepare.bind(session);
    vi.spyOn(session, "prepare").mockImplementation((sql) => {
      sent.push({ to: instanceOf(start), sql });
      return prepareIn(sql);
    });
    return session;
  });
  return sent;
}

/** Tables that hold descriptions; `stock` is read with them for the word of the availability. */
const DESCRIPTIONS = [
  "products",
  "categories",
  "catalog_state",
  "product_groups",
  "product_search",
  "product_words",
  "word_counts",
  "word_forms",
  "stock",
];
const TABLE = /\b(?:FROM|JOIN|INTO|UPDATE)\s+([a-z_]+)\b(?!\s*\()/g;

/** Returns the tables of the schema that the queries to an instance name. */
async function tablesAt(sent: readonly Sent[], instance: Instance): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const stored = new Set(results.map(({ name }) => String(name)));
  const named = sent
    .filter(({ to }) => to === instance)
    .flatMap(({ sql }) => [...sql.matchAll(TABLE)].map(([, name = ""]) => name));
  return [...new Set(named)].filter((name) => stored.has(name)).toSorted();
}

/** Tools whose queries a copy may answer. All queries of all other tools go to the primary. */
const BY_ANY_COPY = new Set(["search_products", "get_product", "list_categories"]);

describe("queries of", () => {
  it.each(tools.flatMap(({ name, examples }) => examples.map((args) => [name, args] as const)))(
    "%s with %j go to the right instance",
    async (name, args) => {
      // The credential is read before, so that only the call's own queries are seen.
      const sent = watchQueries();
      const { refusal } = await ask(staff, name, args);
      expect(refusal).toBeUndefined();
      expect(sent.some(({ to }) => to === "any copy")).toBe(BY_ANY_COPY.has(name));
      for (const table of await tablesAt(sent, "any copy")) expect(DESCRIPTIONS).toContain(table);
    },
  );

  it("query_stock for an unknown SKU read the stock at the primary, and similar SKUs anywhere", async () => {
    const sent = watchQueries();
    await ask(staff, "query_stock", { sku: "SKU-1OOO1" });
    expect(sent.filter(({ sql }) => /\bstock\b/.test(sql)).map(({ to }) => to)).toEqual(["primary"]);
    expect(await tablesAt(sent, "any copy")).toEqual(["product_search", "product_words", "products"]);
  });

  it("a product's resource read its stock at the primary, and describe it anywhere", async () => {
    const [template] = resourceTemplates;
    const uri = (template?.uriTemplate ?? "").replace("{sku}", "SKU-10001");
    const sent = watchQueries();
    await post({ jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri } }, staff);
    const to = (table: RegExp) => sent.find(({ sql }) => table.test(sql))?.to;
    expect(to(/p\.description/)).toBe("any copy");
    expect(to(/s\.quantity, s\.version/)).toBe("primary");
  });

  it.each(resources.map(({ uri }) => uri))("%s that a copy answers only describe", async (uri) => {
    const sent = watchQueries();
    await post({ jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri } }, staff);
    for (const table of await tablesAt(sent, "any copy")) expect(DESCRIPTIONS).toContain(table);
  });

  it("credentials go to the primary", async () => {
    const newcomer = await signedInAs(["shopper"]);
    const sent = watchQueries();
    await ask(newcomer, "list_categories", {});
    const reads = sent.filter(({ sql }) => /\baccess_keys\b/.test(sql));
    expect(reads.length).toBeGreaterThan(0);
    expect(new Set(reads.map(({ to }) => to))).toEqual(new Set(["primary"]));
  });
});

/** Makes every copy fail, as if none ever caught up. */
function stopCopies(): void {
  const withSession = env.DB.withSession.bind(env.DB);
  vi.spyOn(env.DB, "withSession").mockImplementation((start) => {
    const session = withSession(start);
    if (instanceOf(start) === "primary") return session;
    const fail = () => Promise.reject(new Error("No copy has this version."));
    vi.spyOn(session, "batch").mockImplementation(fail);
    vi.spyOn(session, "prepare").mockImplementation((sql) => {
      const statement = env.DB.prepare(sql);
      for (const method of ["first", "all", "run"] as const)
        vi.spyOn(statement, method).mockImplementation(fail);
      vi.spyOn(statement, "bind").mockReturnValue(statement);
      return statement;
    });
    return session;
  });
}

it("query_stock sees a write at once, however far the copies lag", async () => {
  const clerk = await newClerk();
  stopCopies();
  await clerk.update([{ sku: "SKU-10001", warehouse: "east", set: 4_321 }]);
  const { value } = await clerk.use("query_stock", { sku: "SKU-10001" });
  expect(value?.["warehouses"]).toContainEqual(
    expect.objectContaining({ warehouse: "east", quantity: 4_321 }),
  );
});
