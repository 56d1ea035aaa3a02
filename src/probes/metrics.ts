import * as z from "zod";
import { version } from "../../package.json";
import type { AppContext } from "../app-types.ts";
import { isOpenLocally } from "../http/hosts.ts";
import { sameSecret } from "../text/same-secret.ts";
import type { Counts } from "../telemetry/metrics/counts.ts";
import { CONTENT_TYPE, expose } from "../telemetry/metrics/exposition.ts";
import { HUB_NAME } from "../telemetry/metrics/hub.ts";
import { flushNow } from "../telemetry/sink.ts";
import { Unreachable } from "../unreachable.ts";

/** npm run deploy sets the variable (cli/deploy/execute.ts). */
const commitSchema = z.string().default("unknown");

async function scrape(env: Env): Promise<Counts> {
  try {
    return await env.METRICS_HUB.getByName(HUB_NAME).scrape();
  } catch (error) {
    throw new Unreachable("The metrics hub can't be reached.", { cause: error });
  }
}

/**
 * GET /metrics, for callers with METRICS_TOKEN. While that is not set, it is open on a developer's machine that serves callers
 * without a token, and 404 elsewhere.
 */
export async function metricsPage(c: AppContext): Promise<Response> {
  const { METRICS_TOKEN: token } = c.var.settings;
  if (token === undefined && !isOpenLocally(c.var)) return c.notFound();
  if (token !== undefined && !sameSecret(c.req.header("authorization") ?? "", `Bearer ${token}`))
    return c.text("The scrape token is missing or wrong.\n", 401, { "WWW-Authenticate": "Bearer" });
  // So that at least what this isolate has just served is seen.
  await flushNow();
  const counts = await scrape(c.env);
  return c.body(expose(counts, [version, commitSchema.parse(Reflect.get(c.env, "DEPLOYED_COMMIT"))]), 200, {
    "Content-Type": CONTENT_TYPE,
    "Cache-Control": "no-store",
  });
}
