import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { type Settings, readSettings } from "./env.ts";
import { isAllowedOrigin, isOwnHost } from "./hosts.ts";
import { serveMcp } from "./mcp/endpoint.ts";
import { surprise } from "./mcp/call.ts";
import { refusalResponse, refuse } from "./refusal.ts";
import { welcome } from "./welcome.ts";

/** Bytes of a request's body: room for a batch of 100 calls, far less than the edge lets through. */
const BODY_MAX = 1024 * 1024;

interface AppTypes {
  Bindings: Env;
  Variables: { settings: Settings; correlationId: string };
}

export const app = new Hono<AppTypes>();

app.use(async (c, next) => {
  c.set("correlationId", crypto.randomUUID());
  c.set("settings", readSettings(c.env));
  await next();
  c.header("X-Request-Id", c.var.correlationId);
  c.header("X-Content-Type-Options", "nosniff");
});

app.use(async (c, next) => {
  const host = c.req.header("host");
  if (!isOwnHost(host, c.var.settings)) {
    const { refusal } = refuse("origin_denied", "This server does not answer to that host name.");
    return refusalResponse(refusal, c.var.correlationId);
  }
  if (!isAllowedOrigin(c.req.header("origin"), host, c.var.settings)) {
    const { refusal } = refuse("origin_denied", "This server does not answer pages of that origin.");
    return refusalResponse(refusal, c.var.correlationId);
  }
  return next();
});

// Only origins that passed above get here, so reflecting the origin opens nothing more.
app.use(
  "/mcp",
  cors({
    origin: (origin) => origin,
    allowMethods: ["POST"],
    allowHeaders: [
      "Content-Type",
      "Accept",
      "Authorization",
      "MCP-Protocol-Version",
      "Mcp-Method",
      "Mcp-Name",
    ],
    exposeHeaders: ["X-Request-Id"],
  }),
);

app.get("/", welcome);

app.post(
  "/mcp",
  bodyLimit({
    maxSize: BODY_MAX,
    onError: (c) => {
      const { refusal } = refuse("request_too_large", `The request is larger than ${BODY_MAX} bytes.`);
      return refusalResponse(refusal, c.var.correlationId);
    },
  }),
  (c) => serveMcp(c.req.raw, c.env.DB, c.var.settings, c.var.correlationId),
);

app.all("/mcp", (c) => {
  const { refusal } = refuse("malformed_request", "The MCP endpoint takes POST alone.");
  const response = refusalResponse(refusal, c.var.correlationId);
  return new Response(response.body, {
    status: 405,
    headers: { ...Object.fromEntries(response.headers), Allow: "POST" },
  });
});

app.notFound((c) => c.text("Not found. The MCP endpoint is /mcp.\n", 404));

app.onError((error, c) => {
  const correlationId = c.get("correlationId") ?? crypto.randomUUID();
  return refusalResponse(surprise(error, { correlationId }, c.req.path), correlationId);
});
