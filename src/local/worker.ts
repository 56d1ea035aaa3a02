// The Worker on a developer's machine. It adds two endpoints for programs that hold the key of the lock file
// (cli/local/lock-file.ts), and a proof that it knows that key. `wrangler deploy` bundles src/index.ts, which has none
// of them.

import * as z from "zod";
import { app } from "../app.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { runBatch } from "../database/run-batch.ts";
import type { Principal } from "../identity/principal.ts";
import { scopesOf } from "../identity/scopes.ts";
import { sameSecret } from "../text/same-secret.ts";
import production from "../index.ts";
import { localRoles } from "../policy/roles.ts";
import type { Policy } from "../policy/schema.ts";
import { logSurprise } from "../telemetry/log.ts";
import { serveWithoutToken } from "../serve-caller.ts";
import { loopback } from "../validation/public-url.ts";
import { PROOF_PATH, proofOf } from "./proof.ts";

export * from "../index.ts";

const localEnvSchema = z.object({
  LOCAL_KEY: z.string().min(32),
  /** Set by the option of startServer alone (cli/local/server.ts). */
  LOOPBACK_AGENTS: z.enum(["on", "off"]),
});
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

/** MCP for clients over stdio (cli/stdio.ts), behind the app's own limits and checks. */
app.post("/__local/mcp", (c) =>
  holdsKey(c.req.raw, c.env) ? serveWithoutToken(c, localPrincipal(c.var.policy)) : wrongKey(),
);

export default {
  fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    loopback.isAllowed = localEnvSchema.parse(env).LOOPBACK_AGENTS === "on";
    if (pathname === "/__local/database") return openDatabase(request, env);
    if (pathname === PROOF_PATH) return new Response(proofOf(searchParams.get("nonce") ?? "", keyOf(env)));
    return production.fetch(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;

/** Runs SQL as one atomic batch. An import's batches are larger than the app's body limit. */
async function openDatabase(request: Request, env: Env): Promise<Response> {
  if (!holdsKey(request, env)) return wrongKey();
  try {
    const { statements } = batchSchema.parse(await request.json());
    await ensureMigrated(env.DB);
    return Response.json({ results: await runBatch(env.DB, statements) });
  } catch (error) {
    logSurprise(error, { what: "/__local/database" });
    return Response.json({ error: error instanceof Error ? error.message : String(error) }, { status: 500 });
  }
}

/** Returns the one caller for all programs that the state folder's owner runs, whatever the client. */
function localPrincipal(policy: Policy): Principal {
  const roles = localRoles(policy);
  return { id: "local", kind: "local", roles, via: "local", scopes: scopesOf(roles) };
}

const holdsKey = ({ headers }: Request, env: Env): boolean =>
  sameSecret(headers.get("authorization") ?? "", `Bearer ${keyOf(env)}`);

const keyOf = (env: Env): string => localEnvSchema.parse(env).LOCAL_KEY;

const wrongKey = () => Response.json({ error: "wrong key" }, { status: 401 });
