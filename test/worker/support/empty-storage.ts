import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, vi } from "vitest";
import { isMigrated } from "../../../src/database/migrate.ts";
import migrations from "../../../src/database/migrations.json" with { type: "json" };
import { flushNow } from "../../../src/telemetry/sink.ts";

// Every migration and its row in the ledger, for one batch: one at a time they take ten times as long.
const statements = migrations.flatMap(({ name, statements: own }) => [
  `INSERT INTO d1_migrations (name) VALUES ('${name}')`,
  ...own,
]);

// Files share a runtime, because its start takes longer than most of them; each begins with empty storage.
// The code has already marked the database as migrated, so the migrations run here.
beforeAll(async () => {
  await reset();
  // Creates the ledger.
  await applyD1Migrations(env.DB, []);
  try {
    await env.DB.batch(statements.map((sql) => env.DB.prepare(sql)));
  } catch (error) {
    // An object of the file before may have an alarm just now, and migrates the database too.
    if (!(await vi.waitUntil(() => isMigrated(env.DB), 10_000).catch(() => false))) throw error;
  }
});

// Remaining metrics would be sent a second later, when the file's modules are gone.
afterAll(() => flushNow());

// Each call logs two lines, which vitest carries to its own process: three quarters of the time of many
// calls. Tests that read them spy on it.
console.info = () => {};
