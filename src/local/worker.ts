// The Worker as `npm run dev` and the command line run it on this machine: the deployed Worker, and
// beside it one door to the local database. `wrangler deploy` bundles src/index.ts, which has no such door.

import * as z from "zod";
import { ensureMigrated } from "../database/migrate.ts";
import { runBatch } from "../database/run-batch.ts";
import { sameSecret } from "../identity/secrets.ts";
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

export default {
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    return pathname === "/__local/database" ? openDoor(request, env) : production.fetch(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;

/** Runs SQL as one atomic batch for whoever holds the key of the lock file (cli/local/lock-file.ts). */
async function openDoor(request: Request, env: Env): Promise<Response> {
  const { LOCAL_KEY } = localEnvSchema.parse(env);
  if (!sameSecret(request.headers.get("authorization") ?? "", `Bearer ${LOCAL_KEY}`)) {
    return Response.json({ error: "wrong key" }, { status: 401 });
  }
  try {
    const { statements } = batchSchema.parse(await request.json());
    await ensureMigrated(env.DB);
    return Response.json({ results: await runBatch(env.DB, statements) });
  } catch (error) {
    logSurprise(error, { what: "/__local/database" });
    return Response.json({ error: error instanceof Error ? error.message : String(error) }, { status: 500 });
  }
}
