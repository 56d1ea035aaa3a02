import { Hono } from "hono/tiny";
import type { AppTypes } from "../app-types.ts";
import { requestRefused } from "../telemetry/sink.ts";
import { readiness } from "./readiness.ts";

/**
 * For load balancers and monitors, which send any Host and hold no token: these routes come before every check, and say
 * nothing but a word. docs/metrics.md
 */
export const probes = new Hono<AppTypes>();

const NO_STORE = { "Cache-Control": "no-store" };

/** The process is alive; it depends on nothing. */
probes.get("/healthz", (c) => c.json({ status: "ok" }, 200, NO_STORE));

/** Calls can be served; else which part can't. */
probes.get("/readyz", async (c) => {
  const answer = await readiness(c.env, c.var);
  if (answer.ready) return c.json({ status: "ready" }, 200, NO_STORE);
  requestRefused("unavailable", c.var);
  return c.json({ status: "not_ready", part: answer.part }, 503, NO_STORE);
});
