import packageJson from "../../package.json" with { type: "json" };
import type { AppContext } from "../app-types.ts";
import { sameSecret } from "../identity/secrets.ts";
import { CONTENT_TYPE, expose } from "../telemetry/metrics/exposition.ts";
import { HUB_NAME } from "../telemetry/metrics/hub.ts";
import { flushNow } from "../telemetry/sink.ts";

/** GET /metrics: for whoever holds METRICS_TOKEN, and not there while that is not set. */
export async function metricsPage(c: AppContext): Promise<Response> {
  const token = c.var.settings.METRICS_TOKEN;
  if (token === undefined) return c.notFound();
  if (!sameSecret(c.req.header("authorization") ?? "", `Bearer ${token}`))
    return c.text("The scrape token is missing or wrong.\n", 401, { "WWW-Authenticate": "Bearer" });
  // So that at least what this isolate has just served is seen.
  await flushNow();
  const counts = await c.env.METRICS_HUB.getByName(HUB_NAME).scrape();
  return c.body(expose(counts, packageJson.version), 200, {
    "Content-Type": CONTENT_TYPE,
    "Cache-Control": "no-store",
  });
}
