import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as z from "zod";

// Everything that the Worker has stored, as lines of JSON: the schema and the rows of D1 and of callers'
// objects, and the keys of KV.

const value = z.union([z.string(), z.number(), z.null()]);
const rowSchema = z.record(z.string(), value);
type Row = z.output<typeof rowSchema>;

const lineSchema = z.union([
  z.strictObject({ database: z.literal("schema"), sql: z.string() }),
  z.strictObject({ database: z.literal("row"), table: z.string(), row: rowSchema }),
  z.strictObject({ kv: z.string(), value: z.string(), metadata: z.unknown() }),
  z.strictObject({ object: z.string(), sql: z.string() }),
  z.strictObject({ object: z.string(), table: z.string(), row: rowSchema }),
]);
type Line = z.output<typeof lineSchema>;

const named = z.object({ name: z.string(), sql: z.string() });

/** Returns everything in D1 and KV, and what the objects of these principals hold. */
export async function dump(principals: readonly string[]): Promise<string> {
  const lines = [...(await dumpDatabase()), ...(await dumpKv())];
  for (const principal of principals) lines.push(...(await dumpObject(principal)));
  return `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** Restores what `dump` returned, into empty storage. */
export async function restore(text: string): Promise<void> {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => lineSchema.parse(JSON.parse(line)));
  await restoreDatabase(lines);
  for (const line of lines)
    if ("kv" in line) await env.OAUTH_KV.put(line.kv, line.value, { metadata: line.metadata });
  const principals = new Set(lines.flatMap((line) => ("object" in line ? [line.object] : [])));
  for (const principal of principals) await restoreObject(principal, lines);
}

async function dumpDatabase(): Promise<Line[]> {
  const { results } = await env.DB.prepare(
    "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
  ).all();
  const all = named.array().parse(results);
  const indexes = all.filter(({ sql }) => sql.startsWith("CREATE VIRTUAL")).map(({ name }) => name);
  // Creating a full-text index also creates its own tables.
  const schema = all.filter(({ name }) => !indexes.some((index) => name.startsWith(`${index}_`)));
  const lines: Line[] = schema.map(({ sql }) => ({ database: "schema", sql }));
  for (const { name, sql } of schema) {
    if (!sql.startsWith("CREATE TABLE")) continue;
    const columns = await env.DB.prepare("SELECT name FROM pragma_table_info(?)").bind(name).all();
    const names = z.array(z.object({ name: z.string() })).parse(columns.results);
    const rows = await env.DB.prepare(
      `SELECT ${names.map((each) => each.name).join(", ")} FROM ${name}`,
    ).all();
    for (const row of rowSchema.array().parse(rows.results))
      lines.push({ database: "row", table: name, row });
  }
  return lines;
}

async function restoreDatabase(lines: readonly Line[]): Promise<void> {
  const schema = lines.flatMap((line) => ("database" in line && "sql" in line ? [line.sql] : []));
  const rows = lines.flatMap((line) => ("database" in line && "row" in line ? [line] : []));
  const isTable = (sql: string) => /^CREATE (?:VIRTUAL )?TABLE/.test(sql);
  const indexes = schema.flatMap((sql) => /^CREATE VIRTUAL TABLE (\w+)/.exec(sql)?.[1] ?? []);
  await env.DB.batch([
    env.DB.prepare("PRAGMA defer_foreign_keys = on"),
    ...schema.filter(isTable).map((sql) => env.DB.prepare(sql)),
    ...rows.map(({ table, row }) => env.DB.prepare(insertInto(table, row)).bind(...Object.values(row))),
    ...indexes.map((name) => env.DB.prepare(`INSERT INTO ${name} (${name}) VALUES ('rebuild')`)),
    // A trigger created before the rows would change them.
    ...schema.filter((sql) => !isTable(sql)).map((sql) => env.DB.prepare(sql)),
  ]);
}

async function dumpKv(): Promise<Line[]> {
  const { keys } = await env.OAUTH_KV.list();
  const lines: Line[] = [];
  for (const { name, metadata } of keys)
    lines.push({ kv: name, value: (await env.OAUTH_KV.get(name)) ?? "", metadata: metadata ?? null });
  return lines;
}

const dumpObject = (principal: string): Promise<Line[]> =>
  runInDurableObject(env.USER_WINDOWS.getByName(principal), (_, { storage: { sql } }) => {
    const tables = named
      .array()
      .parse(
        sql
          .exec(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
          )
          .toArray(),
      );
    return tables.flatMap((table): Line[] => [
      { object: principal, sql: table.sql },
      ...rowsOf(sql, table.name).map((row) => ({ object: principal, table: table.name, row })),
    ]);
  });

/** Returns the rows of an object's table, as they are stored. */
export const rowsOf = (sql: SqlStorage, table: string): Row[] =>
  rowSchema.array().parse(sql.exec(`SELECT * FROM ${table}`).toArray());

async function restoreObject(principal: string, lines: readonly Line[]): Promise<void> {
  const object = env.USER_WINDOWS.getByName(principal);
  await runInDurableObject(object, async (_, { storage }) => {
    // A call of an earlier file may have reached an object of this name after its storage was emptied.
    await storage.deleteAll();
    const { sql } = storage;
    for (const line of lines) {
      if (!("object" in line) || line.object !== principal) continue;
      if ("sql" in line) sql.exec(line.sql);
      else sql.exec(insertInto(line.table, line.row), ...Object.values(line.row));
    }
  });
  // The object read its storage while that was empty.
  await evictDurableObject(object);
}

const insertInto = (table: string, row: Row): string => {
  const columns = Object.keys(row);
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
};
