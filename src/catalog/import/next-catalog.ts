import * as z from "zod";
import type { Statement } from "../../database/statement.ts";
import { applyStock, demandImport } from "./apply.ts";
import { countWords } from "./count-words.ts";
import { publishFlagged } from "./flagged.ts";
import { unstage } from "./stage.ts";

// The next catalog is built in tables of its own (`products_next`) while callers read the present ones, and takes their names
// in one short transaction. The former tables (`products_past`) are deleted in parts afterwards. An interrupted import leaves
// tables of these names behind, which the next one deletes first.

/** The tables that are built, those that others refer to first. Searches read the index by rowid, never its content. */
const BUILT = [
  "catalog_state",
  "categories",
  "product_groups",
  "products",
  "product_internals",
  "product_words",
  "product_search",
  "word_counts",
] as const;
/** Tables that are filled beside them, with what belongs to products that only the next catalog has. */
const BESIDE = ["stock", "warehouses"];

const plain = (sql: string): Statement => ({ sql, values: [] });

/** The tables, indexes and triggers of the database. */
export const readSchema: Statement = {
  sql: `SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid`,
  values: [],
};
export const schemaRows = z.array(
  z.object({ type: z.string(), name: z.string(), table: z.string(), sql: z.string() }),
);
export type Schema = z.output<typeof schemaRows>;
/** The number of `migrations` that have run. */
export const countMigrations = plain("SELECT count(*) AS migrations FROM d1_migrations");

/** Renames tables in SQL. A column may have a table's name, so only words behind these keywords are tables. */
function renamed(sql: string, names: readonly string[], suffix: string): string {
  const table = new RegExp(
    String.raw`(\b(?:TABLE|INTO|UPDATE|FROM|JOIN|REFERENCES|ON)\s+|\()"?(${names.join("|")})"?(?!["\w])(?!\s*\.)`,
    "gi",
  );
  return sql.replace(table, (match, before: string, name: string) =>
    // Only the index has a column of its own name, to which FTS5 takes commands.
    before === "(" && name !== "product_search" ? match : `${before}${name}${suffix}`,
  );
}

/** A statement about the catalog's tables, for the next ones. */
export const onNext = ({ sql, values }: Statement): Statement => ({
  sql: renamed(sql, BUILT, "_next"),
  values,
});

/** Tables outside the catalog that refer to it, such as stock. They stay as they are, and are copied at the end. */
function referring(schema: Schema): string[] {
  const names: string[] = [...BUILT];
  const found: string[] = [];
  for (let isMore = true; isMore;) {
    const refers = new RegExp(String.raw`\bREFERENCES\s+"?(${names.join("|")})"?(?!\w)`, "i");
    const more = schema.filter(
      ({ type, name, sql }) =>
        type === "table" && !names.includes(name) && !isLeftover(name) && refers.test(sql),
    );
    names.push(...more.map(({ name }) => name));
    found.push(...more.map(({ name }) => name));
    isMore = more.length > 0;
  }
  return found;
}

const isLeftover = (name: string): boolean => /_(?:next|past)$/.test(name);

/** The statements that make empty tables like `names`, with their indexes. */
function createNext(schema: Schema, names: readonly string[], all: readonly string[]): Statement[] {
  return names.flatMap((table) =>
    schema
      .filter((row) => row.table === table && row.type !== "trigger")
      // An index can't be renamed, so its name ends in _next after every second import.
      .map(({ type, name, sql }) =>
        type === "index"
          ? sql.replace(name, isLeftover(name) ? name.replace(/_next$/, "") : `${name}_next`)
          : sql,
      )
      .map((sql) => plain(renamed(sql, all, "_next"))),
  );
}

const triggersOn = (schema: Schema, names: readonly string[]) =>
  schema.filter(
    ({ type, name, sql }) =>
      type === "trigger" && !isLeftover(name) && new RegExp(String.raw`\b(?:${names.join("|")})\b`).test(sql),
  );

/** Counts the words of one row; the next catalog counts those of many at once (count-words.ts). */
const COUNTS_ONE = "product_words_count_insert";

/** Creates the next catalog's empty tables. Their triggers count and index as the present ones do. */
export function createTables(schema: Schema): Statement[] {
  return [
    ...createNext(schema, [...BUILT, ...BESIDE], [...BUILT, ...BESIDE]),
    ...triggersOn(schema, BUILT)
      .filter(({ name, table }) => name !== COUNTS_ONE && BUILT.some((built) => built === table))
      .map(({ name, sql }) => plain(renamed(sql.replace(name, `${name}_next`), BUILT, "_next"))),
  ];
}

/** Copies what is counted anew or small: the state, the categories and the groups. */
export const copySmall: readonly Statement[] = [
  `INSERT INTO catalog_state_next SELECT * FROM catalog_state`,
  `UPDATE catalog_state_next SET active_products = 0, words_products = 0, title_bytes = 0, text_bytes = 0`,
  `INSERT INTO categories_next SELECT * FROM categories`,
  `UPDATE categories_next SET active_products = 0`,
  `INSERT INTO product_groups_next SELECT * FROM product_groups`,
].map(plain);

const columnRows = z.array(z.object({ name: z.string() }));
/** The columns of products that can be written, in which a copy may not rely on their order. */
export const readProductColumns = plain("SELECT name FROM pragma_table_xinfo('products') WHERE hidden = 0");

/** Copies products with ids from ?1 to ?2. */
export function copyProducts(columns: unknown, first: number, last: number): Statement[] {
  const names = columnRows.parse(columns).map(({ name }) => name);
  const range = "BETWEEN ?1 AND ?2";
  return [
    `INSERT INTO products_next (${names.join(", ")}) SELECT ${names.join(", ")} FROM products WHERE id ${range}`,
    `INSERT INTO product_internals_next SELECT * FROM product_internals WHERE product_id ${range}`,
  ].map((sql) => ({ sql, values: [first, last] }));
}

/** SQL for whether a row of import_stock is of a product that callers don't have yet. Only an import adds products. */
const IS_NEW = "product_id > (SELECT coalesce(max(id), 0) FROM products)";
/**
 * Moves the stock that an import states of new products to the next catalog. Nobody else can change it; written at the end, that of
 * a million products would keep callers waiting for seconds.
 */
export const moveStock: readonly Statement[] = [
  `INSERT INTO stock_next (product_id, warehouse, quantity)
    SELECT product_id, warehouse, quantity FROM import_stock WHERE ${IS_NEW}`,
  `INSERT INTO warehouses_next (name, units) SELECT warehouse, sum(quantity) FROM import_stock WHERE ${IS_NEW} GROUP BY 1
    ON CONFLICT (name) DO UPDATE SET units = units + excluded.units`,
  `DELETE FROM import_stock WHERE ${IS_NEW}`,
].map(plain);

/** Copies the search words of products with ids from ?1 to ?2 that the import does not write, and counts them. */
export const copyWords = (importId: string, first: number, last: number): Statement[] => [
  {
    sql: `INSERT INTO product_words_next SELECT w.* FROM products p CROSS JOIN product_words w ON w.product_id = p.id
    WHERE p.id BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM import_rows r WHERE r.import_id = ?3 AND r.sku = p.sku)
    ORDER BY w.id`,
    values: [first, last, importId],
  },
  ...countWords("product_words w WHERE w.product_id BETWEEN ?1 AND ?2").map((sql) =>
    onNext({ sql, values: [first, last] }),
  ),
];

/**
 * Gives the next tables the names of the present ones, and writes the stock. Fails as a whole if a migration ran since the
 * schema was read.
 */
export function swapTables(schema: Schema, migrations: number, importId: string): Statement[] {
  const copied = referring(schema);
  const all = [...BUILT, ...copied];
  const triggers = triggersOn(schema, all);
  const built = triggers.filter((trigger) => BUILT.some((name) => name === trigger.table));
  return [
    demandImport(importId),
    {
      sql: `INSERT INTO import_rows (import_id, sku, record)
        SELECT '', '', '' WHERE (SELECT count(*) FROM d1_migrations) <> ?1`,
      values: [migrations],
    },
    ...createNext(
      schema,
      copied.filter((name) => !BESIDE.includes(name)),
      all,
    ),
    ...copied.map((name) => plain(`INSERT INTO ${name}_next SELECT * FROM ${name}`)),
    plain(`INSERT INTO warehouses (name, units) SELECT name, units FROM warehouses_next WHERE 1
      ON CONFLICT (name) DO UPDATE SET units = units + excluded.units`),
    // A rename would also change the triggers that name the table.
    ...[...triggers.map(({ name }) => name), ...built.map(({ name }) => `${name}_next`)].map((name) =>
      plain(`DROP TRIGGER IF EXISTS ${name}`),
    ),
    ...all.map((name) => plain(`ALTER TABLE ${name} RENAME TO ${name}_past`)),
    ...all.map((name) => plain(`ALTER TABLE ${name}_next RENAME TO ${name}`)),
    ...triggers.map(({ sql }) => plain(sql)),
    ...applyStock,
    ...publishFlagged(importId),
    unstage(importId),
  ];
}

/** Drops the triggers that an interrupted import left: they would run, and fail, while its rows are deleted. */
export const dropLeftTriggers = (schema: Schema): Statement[] =>
  schema
    .filter(({ type, name }) => type === "trigger" && isLeftover(name))
    .map(({ name }) => plain(`DROP TRIGGER ${name}`));

/**
 * The tables that an interrupted or finished import left, those that refer to others first. Their rows must be deleted in parts
 * if `isLarge`, because deleting a large table at once takes seconds.
 */
export function leftTables(schema: Schema): { table: string; isLarge: boolean }[] {
  const place = (name: string) => BUILT.findIndex((built) => name.replace(/_(?:next|past)$/, "") === built);
  const tables = schema.filter(({ type, name }) => type === "table" && isLeftover(name)).toReversed();
  const others = tables.filter(({ name }) => place(name) < 0);
  const built = tables
    .filter(({ name }) => place(name) >= 0)
    .toSorted((a, b) => place(b.name) - place(a.name));
  return [...others, ...built].map(({ name, sql }) => ({
    table: name,
    isLarge: !/WITHOUT ROWID\s*$|^CREATE VIRTUAL/i.test(sql),
  }));
}

/** Deletes rows of a leftover table; the last statement returns how many `rows` are left, at most one. */
export const deleteRows = (table: string, rows: number): Statement[] => [
  plain(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} LIMIT ${rows})`),
  plain(`SELECT count(*) AS rows FROM (SELECT 1 FROM ${table} LIMIT 1)`),
];

export const dropTable = (table: string): Statement => plain(`DROP TABLE IF EXISTS ${table}`);
