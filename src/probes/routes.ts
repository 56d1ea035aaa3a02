import { Hono } from "hono";
import { readiness } from "./readiness.ts";

/**
 * For load balancers and monitors, which send whatever Host they like and hold no token: they come before
 * everything else, and say nothing but a word. docs/metrics.md
 */
export const probes = new Hono<{ Bindings: Env }>();

const NO_STORE = { "Cache-Control": "no-store" };

/** The process is alive; it depends on nothing. */
probes.get("/healthz", (c) => c.json({ status: "ok" }, 200, NO_STORE));

/** Calls can be served; else which part can't. */
probes.get("/readyz", async (c) => {
  const answer = await readiness(c.env, c.req.url);
  return answer.ready
    ? c.json({ status: "ready" }, 200, NO_STORE)
    : c.json({ status: "not_ready", part: answer.part }, 503, NO_STORE);
});
