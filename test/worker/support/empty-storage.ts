import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll } from "vitest";
import { migrations } from "../../../src/database/migrations.ts";
import { flushNow } from "../../../src/telemetry/sink.ts";

// Files share a runtime, whose start takes longer than most of them; each begins with storage of its own.
// The code has noted by then that the database is migrated, which is done here.
beforeAll(async () => {
  await reset();
  const files = migrations.map(({ name, sql }) => ({ name, queries: sql.split(/^--> statement$/m) }));
  await applyD1Migrations(env.DB, files);
});

// What is left to send would go to the metrics hub a second later, when the file's modules are gone.
afterAll(() => flushNow());

// Two lines a call, each of which vitest carries to its own process: three quarters of what many calls take.
// Tests that read them spy on it.
console.info = () => {};
