// npm run eval:ablation: what each step of search is worth, by human judgments.

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Query, type Slot, readQuery } from "../src/catalog/search/query.ts";
import { WEIGHTS } from "../src/catalog/search/ranking.ts";
import { type Tuning, search } from "../src/catalog/search/search.ts";
import { CANDIDATES } from "../src/catalog/search/statements.ts";
import { commandOf } from "./command.ts";
import { checkJudgedSkus, readJudgments } from "./eval/judgments.ts";
import { memoryCatalog } from "./eval/memory-catalog.ts";
import { bootstrap95, mean, ndcg } from "./eval/ndcg.ts";
import { readProducts } from "./eval/products.ts";
import { plainTable } from "./table.ts";

const options = commandOf("npm run -s eval:ablation --")
  .description(
    "Print NDCG@10 of plain FTS5, of search as its steps are added, and with each weight halved and doubled.",
  )
  .requiredOption("--products <file>", "products as JSONL, gzipped or not")
  .requiredOption("--judgments <file>", "CSV with query, sku, grade (0 to 3)")
  .parse()
  .opts<{ products: string; judgments: string }>();

const judged = await readJudgments(options.judgments);
const products = await readProducts(options.products);
checkJudgedSkus(judged, products);
const catalog = await memoryCatalog(products);
const skuOf = new Map(
  catalog.database
    .prepare("SELECT id, sku FROM products")
    .all()
    .map((row) => [Number(row["id"]), String(row["sku"])]),
);
const table = plainTable(["step", "NDCG@10", "ci95", "even", "odd"]);

const ALL = 1_000_000;
// Names of a slot by what added them: their weights tell (ADDED in query.ts).
const JOINED = 0.8;
const only =
  (keep: (weight: number) => boolean) =>
  (text: string): Query => {
    const query = readQuery(text);
    return {
      ...query,
      slots: query.slots.map(([typed, ...others]): Slot => [
        typed,
        ...others.filter(({ weight }) => keep(weight)),
      ]),
    };
  };
const bare = { ...WEIGHTS, attribute: 0, isWanted: 0, discontinued: 0 };
const typed = only(() => false);
const compounds = only((weight) => weight === JOINED);
const tuned = (changes: Partial<Tuning> = {}): Tuning => ({
  read: readQuery,
  weights: WEIGHTS,
  limits: CANDIDATES,
  ...changes,
});

await report("plain FTS5: porter, OR, bm25", plainFts());
const steps: [string, Tuning][] = [
  ["own words, own BM25 over candidates", tuned({ read: typed, weights: bare })],
  ["+ attributes", tuned({ read: typed, weights: { ...bare, attribute: WEIGHTS.attribute } })],
  ["+ compound words", tuned({ read: compounds, weights: { ...bare, attribute: WEIGHTS.attribute } })],
  ["+ other names of the same thing", tuned({ weights: { ...bare, attribute: WEIGHTS.attribute } })],
  ["+ head noun is what is wanted", tuned({ weights: { ...WEIGHTS, discontinued: 0 } })],
  ["+ discontinued lower (the search)", tuned()],
  ["without the limit on candidates", tuned({ limits: { all: ALL, enough: ALL, some: ALL } })],
];
for (const [name, tuning] of steps) await report(name, bySearch(tuning));
for (const [name, value] of Object.entries(WEIGHTS)) {
  for (const factor of [0.5, 2]) {
    await report(`${name} x ${factor}`, bySearch(tuned({ weights: { ...WEIGHTS, [name]: value * factor } })));
  }
}
console.log(table.toString());

async function report(name: string, find: (query: string) => Promise<string[]>): Promise<void> {
  const values: number[] = [];
  for (const [query, grades] of judged) values.push(ndcg(await find(query), grades));
  const random = xoroshiro128plus(1);
  const [low, high] = bootstrap95(values, (from, to) => uniformInt(random, from, to));
  const half = (odd: number) => mean(values.filter((_, index) => index % 2 === odd)).toFixed(3);
  table.push([name, mean(values).toFixed(3), `${low.toFixed(3)}-${high.toFixed(3)}`, half(0), half(1)]);
}

function bySearch(tuning: Tuning) {
  return async (query: string) => {
    const { hits } = await search(catalog.run, { query, sort: "relevance", limit: 10 }, tuning);
    return hits.map(({ id }) => skuOf.get(id) ?? "");
  };
}

/** What most people start from. */
function plainFts() {
  const { database } = catalog;
  database.exec(`CREATE VIRTUAL TABLE plain USING fts5(name, model, brand, category, description, tokenize = 'porter unicode61');
    INSERT INTO plain (rowid, name, model, brand, category, description)
    SELECT p.id, p.name, model, brand, c.name, description FROM products p JOIN categories c ON c.id = p.category_id`);
  const statement = database.prepare(
    "SELECT rowid AS id FROM plain WHERE plain MATCH ? ORDER BY bm25(plain, 10, 5, 5, 2, 1) LIMIT 10",
  );
  return async (query: string) => {
    const match = query
      .split(/\s+/)
      .map((word) => `"${word.replaceAll('"', '""')}"`)
      .join(" OR ");
    return statement.all(match).map((row) => skuOf.get(Number(row["id"])) ?? "");
  };
}
