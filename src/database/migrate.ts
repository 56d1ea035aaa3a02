import { firstPrimary, requireSeen } from "./copies.ts";
// Every file of migrations/, in order: `npx product-catalog-mcp lab migrations --write`.
import migrations from "./migrations.json" with { type: "json" };

// wrangler's own table and columns, so that `wrangler d1 migrations list` agrees.
const LEDGER = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

// A flag, not a shared promise, because workerd forbids one request to wait for another's I/O.
const migrated = new WeakSet<D1Database>();

/**
 * Brings the database to the current schema, once per isolate. `wrangler deploy` provisions a database but runs no
 * migrations, so the Worker runs them on first use.
 *
 * Parallel callers are safe: a migration and its ledger row are one atomic batch. The ledger's UNIQUE name lets one
 * caller win; the others find the migration applied.
 */
export async function ensureMigrated(db: D1Database): Promise<void> {
  if (!migrated.has(db)) await migrate(db);
}

/** Runs a read. In an isolate's first request it runs beside the migrations' check, and again if any was applied. */
export async function readMigrated<T>(db: D1Database, read: () => Promise<T>): Promise<T> {
  if (migrated.has(db)) return read();
  const reading = read();
  // Without its tables, the first reading fails.
  reading.catch(() => undefined);
  return (await migrate(db)) ? read() : reading;
}

/** Returns whether any migration was missing. */
async function migrate(db: D1Database): Promise<boolean> {
  const applied = await readLedger(db);
  const missing = migrations.filter(({ name }) => !applied.has(name));
  for (const { name, statements } of missing) await applyOne(db, name, statements);
  migrated.add(db);
  return missing.length > 0;
}

/** Returns whether an up-to-date database still has every migration. */
export async function isMigrated(db: D1Database): Promise<boolean> {
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  return migrations.every(({ name }) => applied.has(name));
}

async function applyOne(db: D1Database, name: string, statements: string[]): Promise<void> {
  const session = firstPrimary(db);
  const record = session.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
  try {
    await session.batch([record, ...statements.map((sql) => session.prepare(sql))]);
    requireSeen(db, session);
  } catch (error) {
    if (!(await readLedger(db)).has(name)) throw error;
  }
}

async function readLedger(db: D1Database): Promise<Set<string>> {
  const session = firstPrimary(db);
  const [, rows] = await session.batch<{ name: string }>([
    session.prepare(LEDGER),
    session.prepare("SELECT name FROM d1_migrations"),
  ]);
  requireSeen(db, session);
  return new Set(rows?.results.map((row) => row.name));
}
