import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { applyImport } from "../../src/catalog/import/apply.ts";
import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { beginImport, stageRows, stagedRow } from "../../src/catalog/import/stage.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { jsonl, product, query, readReport, seed, snapshot, startImport } from "../node/support/imports.ts";

// An import of more than 2,000 changes builds a new catalog in parts, and callers see it at once.

const COUNT = 2_600;
let folder: string;
let state: string;
let server: LocalServer;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-large-test-"));
  state = at("state");
  server = await startServer({ stateDir: state, onLog: () => {} });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => fillAtOnce(server, catalog("old")));

/** Products of which every field tells the catalog that it is from: "old" or "new". */
function catalog(edition: "old" | "new"): ProductRecord[] {
  const isNew = edition === "new";
  const common = (index: number) =>
    product({
      sku: `SKU-${index}`,
      name: `${edition} lantern ${index}`,
      description: `An ${edition}fashioned light.`,
      category: isNew ? `Lights > ${index % 7}` : `Lamps > ${index % 5}`,
      price_minor: isNew ? 2_000 : 1_000,
      cost_minor: isNew ? 200 : 100,
      stock: [
        { warehouse: "east", quantity: index % 3 },
        { warehouse: isNew ? "north" : "west", quantity: isNew ? 2 : 1 },
      ],
      ...(index % 4 === 0 && {
        group: { id: `g-${Math.floor(index / 40)}`, name: `${edition} group` },
        options: { Size: String(index) },
      }),
    });
  return Array.from({ length: COUNT }, (_, index) => common(index + (isNew ? 50 : 0)));
}

/** Applies records with the statements of small imports, which one transaction holds. */
async function fillAtOnce(to: LocalServer, records: readonly ProductRecord[]): Promise<void> {
  await to.batch(beginImport("at-once"));
  for (let from = 0; from < records.length; from += 400)
    await to.batch(stageRows("at-once", records.slice(from, from + 400).map(stagedRow), from));
  await to.batch(applyImport("at-once", { removeMissing: true }));
}

/** Everything that an import may change, without times and the order of names that were never in use. */
async function contents(of: LocalServer) {
  const { state: _, categories: __, ...tables } = await snapshot(of);
  const more = await query(
    of,
    "SELECT active_products, words_products, title_bytes, text_bytes, unread_from FROM catalog_state",
    "SELECT name, active_products FROM categories ORDER BY name",
    "SELECT key, name FROM product_groups ORDER BY id",
    "SELECT word, products FROM word_counts ORDER BY word",
    "SELECT name, units FROM warehouses ORDER BY name",
    ...["lantern", "old", "new", "oldfashioned", "newfashioned"].map(
      (word) => `SELECT rowid FROM product_search WHERE product_search MATCH '"${word}"' ORDER BY rowid`,
    ),
    "SELECT type, replace(replace(name, '_next', ''), '\"', '') AS name FROM sqlite_schema ORDER BY 1, 2",
  );
  return { ...tables, more };
}

const leftovers = async () =>
  (
    await query(server, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_[np][ea][xs]t'")
  )[0];

it("gives the same catalog as one transaction does", async () => {
  const other = await startServer({ stateDir: at("other"), onLog: () => {} });
  try {
    await fillAtOnce(other, catalog("old"));
    // Twice, because the indexes of products have other names after an odd number of large imports.
    for (const edition of ["new", "old", "new"] as const) {
      await fillAtOnce(other, catalog(edition));
      const report = await seed(server, catalog(edition), { removeMissing: true });
      expect(report).toMatchObject({ applied: true, comparison: { missing: 50 } });
    }
    const [expected, found] = [await contents(other), await contents(server)];
    for (const [name, rows] of Object.entries(expected)) expect(found).toHaveProperty(name, rows);
    expect(await leftovers()).toEqual([]);
  } finally {
    await other.close();
  }
});

it("shows callers the old catalog or the new one, and never a mix", async () => {
  const seen = new Set<string>();
  const done = new AbortController();
  const read = async () => {
    while (!done.signal.aborted) {
      const answers = await query(
        server,
        "SELECT DISTINCT substr(name, 1, 3) AS v FROM products WHERE status = 'active'",
        "SELECT DISTINCT iif(price_minor = 1000, 'old', 'new') AS v FROM products WHERE status = 'active'",
        "SELECT DISTINCT iif(cost = 100, 'old', 'new') AS v FROM product_internals JOIN products ON id = product_id WHERE status = 'active'",
        "SELECT DISTINCT substr(name, 1, 3) AS v FROM product_groups WHERE EXISTS (SELECT 1 FROM products WHERE group_id = product_groups.id AND status = 'active')",
        "SELECT DISTINCT iif(name LIKE 'Lamps%', 'old', 'new') AS v FROM categories WHERE active_products > 0",
        "SELECT DISTINCT iif(warehouse = 'west', 'old', 'new') AS v FROM stock JOIN products ON id = product_id WHERE warehouse <> 'east' AND status = 'active'",
        "SELECT word AS v FROM word_counts WHERE word IN ('old', 'new') AND products >= 2600",
        "SELECT DISTINCT substr(w.title, 2, 3) AS v FROM product_search s JOIN product_words w ON w.id = s.rowid WHERE product_search MATCH 'lantern' AND (w.id >> 40) & 32 = 0",
        "SELECT iif(count(*) > 2000, 'new', 'old') AS v FROM product_search WHERE product_search MATCH 'newfashioned'",
      );
      seen.add(JSON.stringify(answers.map((rows) => rows.map(({ v }) => v))));
    }
  };
  const reading = read();
  await seed(server, catalog("new"), { removeMissing: true });
  await sleep(50);
  done.abort();
  await reading;
  expect([...seen].toSorted()).toEqual(
    ["new", "old"].map((each) => JSON.stringify(Array.from({ length: 9 }, () => [each]))),
  );
});

it("keeps the stock that others change while it is applied", async () => {
  const records = catalog("new").map((record) => ({ ...record, stock: undefined }));
  let isSold = false;
  await seed(server, records, {
    onApply: () => {
      void (async () => {
        while ((await leftovers())?.length === 0) await sleep(2);
        await query(server, "UPDATE stock SET quantity = 77, version = version + 1 WHERE warehouse = 'west'");
        isSold = true;
      })();
    },
  });
  expect(isSold).toBe(true);
  const [rows] = await query(server, "SELECT DISTINCT quantity FROM stock WHERE warehouse = 'west'");
  expect(rows).toEqual([{ quantity: 77 }]);
});

it("leaves no stock of new products for the moment in which callers wait", async () => {
  const left: unknown[] = [];
  const watched: LocalServer = {
    ...server,
    async batch(statements) {
      if (statements.some(({ sql }) => sql.startsWith("ALTER TABLE")))
        left.push(
          await query(
            server,
            "SELECT count(*) AS n FROM import_stock WHERE product_id NOT IN (SELECT id FROM products)",
            "SELECT name, units FROM warehouses_next ORDER BY name",
          ),
        );
      return server.batch(statements);
    },
  };
  const unitsInNorth = async () => {
    const [rows] = await query(server, "SELECT units FROM warehouses WHERE name = 'north'");
    return z.tuple([z.object({ units: z.int() })]).parse(rows)[0].units;
  };
  const records = catalog("new").map((record) => ({ ...record, sku: `FRESH-${record.sku}` }));
  const before = await unitsInNorth();
  await seed(watched, records);
  const units = 2 * COUNT;
  expect(left).toEqual([[[{ n: 0 }], [expect.objectContaining({ name: "east" }), { name: "north", units }]]]);
  expect(await unitsInNorth()).toBe(before + units);
});

const tableCount = z.tuple([z.tuple([z.object({ n: z.int() })])]);
async function isBuilding(): Promise<boolean> {
  try {
    const rows = await query(
      server,
      "SELECT count(*) AS n FROM (SELECT 1 FROM product_words_next LIMIT 400)",
    );
    return tableCount.parse(rows)[0][0].n > 300;
  } catch {
    return false;
  }
}

it("leaves the old catalog whole if it is killed, and the next import deletes what it left", async () => {
  await writeFile(at("new.jsonl"), jsonl(catalog("new")));
  const before = await contents(server);
  const killed = startImport(state, [at("new.jsonl"), "--remove-missing", "--yes"]);
  while (!(await isBuilding())) {
    if (killed.isOver()) throw new Error((await killed.ended).stderr);
    await sleep(2);
  }
  killed.kill("SIGKILL");
  await killed.ended;
  expect(await leftovers()).toContainEqual({ name: "products_next" });
  const { more: _, ...tables } = before;
  expect(await contents(server)).toMatchObject(tables);

  // A small import cleans up too. It waits until the killed one has lost its turn.
  await seed(server, [product({ sku: "SKU-1", name: "old lantern 1" })]);
  expect(await leftovers()).toEqual([]);
  const again = await startImport(state, [at("new.jsonl"), "--remove-missing", "--yes", "--json"]).ended;
  expect(readReport(again)).toMatchObject({ applied: true, resumedAfter: COUNT });
  expect(await leftovers()).toEqual([]);
});

it("applies two imports that run at once one after the other", async () => {
  const [first, second] = [catalog("new"), catalog("old")];
  await Promise.all([seed(server, first), seed(server, second)]);
  const [rows] = await query(
    server,
    "SELECT DISTINCT substr(name, 1, 3) AS name FROM products WHERE CAST(substr(sku, 5) AS INTEGER) BETWEEN 50 AND 2599",
  );
  expect(rows).toHaveLength(1);
  expect(await leftovers()).toEqual([]);
  expect((await query(server, "SELECT * FROM import_turn"))[0]).toEqual([]);
});

it("refuses an import by one transaction while another builds a catalog, and loses nothing of either", async () => {
  const one = product({ sku: "SKU-60", name: "sent lantern", price_minor: 7_777 });
  await server.batch(beginImport("sent"));
  await server.batch(stageRows("sent", [stagedRow(one)], 1));
  const send = () => server.batch(applyImport("sent", { removeMissing: false }));
  let refused: Promise<unknown> | undefined;
  await seed(server, catalog("new"), {
    onApply: () => {
      refused = (async () => {
        while (!(await isBuilding())) await sleep(2);
        return await send().catch((error: unknown) => error);
      })();
    },
  });
  expect(await refused).toBeInstanceOf(Error);
  const stock = await query(server, "SELECT DISTINCT quantity FROM stock WHERE warehouse = 'north'");
  expect(stock[0]).toEqual([{ quantity: 2 }]);
  await send();
  expect((await query(server, "SELECT name FROM products WHERE sku = 'SKU-60'"))[0]).toEqual([
    { name: "sent lantern" },
  ]);
});
