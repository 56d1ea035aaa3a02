// The Worker as `npm run dev` and the command line run it on this machine: the deployed Worker, and
// beside it one door to the local database. `wrangler deploy` bundles src/index.ts, which has no such door.

import { createHash, timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import * as z from "zod";
import { ensureMigrated } from "../database/migrate.ts";
import { runBatch } from "../database/run-batch.ts";
import production from "../index.ts";
import { logSurprise } from "../telemetry/log.ts";

export * from "../index.ts";

const localEnvSchema = z.object({ LOCAL_KEY: z.string().min(32) });
const batchSchema = z.object({
  statements: z
    .array(
      z.object({
        sql: z.string(),
        values: z.array(z.union([z.string(), z.number(), z.null()])),
      }),
    )
    .min(1),
});

const worker = new Hono<{ Bindings: Env }>();

/** Runs SQL as one atomic batch for whoever holds the key of the lock file (cli/local/lock-file.ts). */
worker.post("/__local/database", async (c) => {
  const { LOCAL_KEY } = localEnvSchema.parse(c.env);
  if (!sameSecret(c.req.header("authorization") ?? "", `Bearer ${LOCAL_KEY}`)) {
    return c.json({ error: "wrong key" }, 401);
  }
  try {
    const { statements } = batchSchema.parse(await c.req.json());
    await ensureMigrated(c.env.DB);
    return c.json({ results: await runBatch(c.env.DB, statements) });
  } catch (error) {
    logSurprise(error, { what: "/__local/database" });
    return c.json({ error: error instanceof Error ? error.message : String(error) }, 500);
  }
});

// Not route(): that would leave behind the app's own answers to what it does not know.
worker.all("*", (c) => production.fetch(c.req.raw, c.env, c.executionCtx));

export default worker;

function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
