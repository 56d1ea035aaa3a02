// Our endpoint and tools without what stands before them: no access keys, no guard.

import { Hono } from "hono";
import { readSettings } from "../../src/env.ts";
import { anonymous } from "../../src/identity/principal.ts";
import { serveMcp } from "../../src/mcp/endpoint.ts";

const app = new Hono<{ Bindings: Env }>();
app.all("/mcp", (c) =>
  serveMcp(c.req.raw, {
    db: c.env.DB,
    settings: readSettings(c.env),
    correlationId: crypto.randomUUID(),
    principal: anonymous("bench"),
    challenge: () => new Response(null, { status: 403 }),
  }),
);

export default app;
