import { Hono } from "hono/tiny";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { adminApi } from "./admin/admin-api.ts";
import { adminPages } from "./web/admin/admin-pages.ts";
import type { AppContext, AppTypes } from "./app-types.ts";
import { serveAsset } from "./web/assets.ts";
import { confirmPages } from "./web/confirm/routes.tsx";
import { beginRequest } from "./http/begin-request.ts";
import { DISCOVERY, describeServer } from "./http/discovery.ts";
import { readSettings } from "./env.ts";
import { isAllowedOrigin, isLocalRequest, isOpenLocally, isOwnHost } from "./http/hosts.ts";
import { accountPages } from "./web/account/routes.tsx";
import { authorizePages } from "./web/authorize/routes.tsx";
import { METADATA_PATHS, UCP_PATH, atPath } from "./http/well-known.ts";
import { limitByAddress } from "./http/limits/address-limit.ts";
import { limitFailedCredentials, limitFailedSessions } from "./http/limits/failed-credentials.ts";
import { paceRequests } from "./http/limits/pace-requests.ts";
import { limitTokenRequests } from "./http/limits/token-requests.ts";
import { authorizationServer, registerClient } from "./identity/oauth.ts";
import { beginExchange } from "./identity/enterprise-authorization.ts";
import { refreshOnce } from "./identity/refresh-once.ts";
import { isSigned } from "./identity/signature.ts";
import { withTokenStore } from "./identity/token-store.ts";
import { setupPages } from "./web/setup/routes.tsx";
import { signInPages } from "./web/sign-in/routes.tsx";
import { signOnPages } from "./web/sign-on/routes.tsx";
import { reportUnexpected } from "./mcp/call.ts";
import { BODY_MAX } from "./mcp/messages.ts";
import { asUcp, serveUcp } from "./mcp/ucp-endpoint.ts";
import { bundledPolicy } from "./policy/bundled.ts";
import { normaliseOAuth } from "./http/normalise-oauth.ts";
import { withRefusal } from "./http/oauth-refusal.ts";
import { metricsPage } from "./probes/metrics.ts";
import { probes } from "./probes/routes.ts";
import { receiveBody } from "./http/receive-body.ts";
import { refuseRequest, showRefusal } from "./http/refuse-request.tsx";
import { DELIVERY_BODY_MAX, stockWebhook } from "./http/stock-webhook.ts";
import { refuse } from "./refusal.ts";
import { serveAnonymous, serveIdentified, serveWithoutToken } from "./serve-caller.ts";
import { logEvent } from "./telemetry/log.ts";
import { secretKeyOf } from "./setup/secret-key.ts";
import { signedAgent } from "./ucp/signed-agent.ts";
import { installPage } from "./web/install-page.ts";

/** Headers that scripts of allowed origins may send, those of sessions on the 2025 revisions too. */
const ALLOWED_HEADERS = [
  "Content-Type",
  "Accept",
  "Authorization",
  "MCP-Protocol-Version",
  "Mcp-Method",
  "Mcp-Name",
  "Mcp-Session-Id",
  "Last-Event-ID",
  "traceparent",
  "tracestate",
  "baggage",
];
const OAUTH_BODY_MAX = 16 * 1024;
/** Small, because registrations are stored and anyone may register. Those of known clients have at most 1.5 KB. */
const REGISTRATION_BODY_MAX = 4 * 1024;

// Many clients end a URL with a slash; the routes are the same with it.
export const app = new Hono<AppTypes>({ strict: false });

app.use(beginRequest);
app.route("/", probes);

app.use(async (c, next) => {
  const read = readSettings(c.env);
  if (!read.ok) {
    for (const problem of read.problems) logEvent("setting_wrong", problem);
    return c.text(SETTINGS_WRONG, 503);
  }
  c.set("settings", read.settings);
  c.set("origin", new URL(c.var.settings.PUBLIC_URL ?? c.req.url).origin);
  c.set("local", isLocalRequest(c.req.url, c.var.settings));
  if (!bundledPolicy.ok) {
    // Serve nothing with a broken policy.
    for (const problem of bundledPolicy.problems) logEvent("policy_broken", problem);
    return c.text(POLICY_BROKEN, 503);
  }
  c.set("policy", bundledPolicy.policy);
  return next();
});

app.use(async (c, next) => {
  const host = c.req.header("host");
  if (!isOwnHost(host, c.var.settings)) {
    return refuseRequest(c, refuse("origin_denied", "This server does not accept that host name.").refusal);
  }
  const isForAll = DISCOVERY.has(c.req.path);
  if (!isForAll && !isAllowedOrigin(c.req.header("origin"), host, c.var.settings)) {
    return refuseRequest(
      c,
      refuse("origin_denied", "This server does not accept requests from that origin.").refusal,
    );
  }
  // Over http, tokens and cookies would be readable in transit, and OAuth requires https (RFC 8414, section 2).
  if (c.var.origin.startsWith("http:") && !isLocalRequest(c.var.origin, c.var.settings))
    return refuseRequest(c, refuse("origin_denied", "This server accepts only https.").refusal);
  c.set("secretKey", await secretKeyOf(c.env, (ms, work) => c.var.deadline.within(ms, work)));
  return next();
});

for (const [path, file] of DISCOVERY)
  app.on(["GET", "OPTIONS"], path, (c) => {
    const isPublic = c.var.settings.PUBLIC_CATALOG === "on";
    return describeServer(c.req.raw, c.env.ASSETS, file, { origin: c.var.origin, isPublic });
  });

// Only allowed origins get here, so reflecting the origin opens nothing more.
for (const path of ["/mcp/*", UCP_PATH])
  app.use(
    path,
    cors({
      origin: (origin) => origin,
      // GET and DELETE are answered 405. A browser must be let through to see that.
      allowMethods: ["POST", "GET", "DELETE"],
      allowHeaders: ALLOWED_HEADERS,
      exposeHeaders: ["X-Request-Id", "WWW-Authenticate", "Retry-After"],
    }),
  );

app.use(UCP_PATH, async (c, next) => {
  await next();
  c.res = await asUcp(c.res);
});

for (const path of ["/mcp", "/mcp/public", UCP_PATH]) app.use(path, paceRequests);

app.use("/oauth/register", receiveBody(REGISTRATION_BODY_MAX));
app.use("/oauth/*", receiveBody(OAUTH_BODY_MAX));
app.use("/webhooks/*", receiveBody(DELIVERY_BODY_MAX));
app.use(receiveBody(BODY_MAX));

for (const path of ["/authorize", "/oauth/token", "/oauth/register"]) app.use(path, normaliseOAuth);

// Unauthenticated endpoints that store data or make outbound requests.
app.post("/oauth/register", limitByAddress("register_network", showRefusal));
app.post("/oauth/register", limitByAddress("register", showRefusal));
app.get("/authorize", limitByAddress("authorize", showRefusal));
app.post("/sign-in", limitByAddress("sign-in", showRefusal));
app.post("/sign-on/start", limitByAddress("sign-on", showRefusal));
app.post("/oauth/token", limitTokenRequests(limitByAddress("token", showRefusal)));
for (const path of ["/mcp", UCP_PATH, "/admin/api/*"]) app.use(path, limitFailedCredentials);
for (const path of ["/account/*", "/sign-out", "/authorize", "/confirm/*", "/admin/*"])
  app.use(path, limitFailedSessions);

app.get("/", installPage);
// Directories ask for a text here, as proof that the operator owns the host (docs/publish.md).
for (const proof of ["openai-apps-challenge", "mcp-registry-auth"])
  app.get(`/.well-known/${proof}`, async (c) => {
    const file = await c.env.ASSETS.fetch(`https://assets.invalid/${proof}.txt`);
    return file.ok ? c.text(await file.text()) : c.notFound();
  });
app.get("/assets/*", serveAsset);
app.get("/metrics", metricsPage);
app.post("/webhooks/stock", stockWebhook);

// A client that signs wants to be identified, so it is told that the token is missing.
const hasCredentials = ({ req }: AppContext): boolean =>
  req.header("authorization") !== undefined || isSigned(req.raw.headers);

app.all("/mcp", (c) => (isOpenLocally(c.var) && !hasCredentials(c) ? serveAnonymous(c) : serveIdentified(c)));
app.all("/mcp/public", (c) => (c.var.settings.PUBLIC_CATALOG === "on" ? serveAnonymous(c) : c.notFound()));
app.all(UCP_PATH, async (c) => {
  const isServed = isOpenLocally(c.var) || c.var.settings.PUBLIC_CATALOG === "on";
  if (c.req.header("authorization") !== undefined) return serveIdentified(c, serveUcp);
  const agent = isSigned(c.req.raw.headers) ? await signedAgent(c, { isOpen: isServed }) : undefined;
  if (agent?.ok === false) return refuseRequest(c, agent.refusal);
  if (agent === undefined) return isServed ? serveAnonymous(c, serveUcp) : serveIdentified(c, serveUcp);
  const { principal, profile: signedAs } = agent.value;
  return serveWithoutToken(c, principal, (request, context) => serveUcp(request, { ...context, signedAs }));
});

for (const path of METADATA_PATHS.resource.paths)
  app.all(path, (c) => {
    c.req.raw = atPath(c.req.raw, METADATA_PATHS.resource.servedAt);
    return serveIdentified(c);
  });
app.all("/.well-known/oauth-protected-resource/*", (c) => serveIdentified(c));
for (const pages of [setupPages, signInPages, signOnPages, authorizePages, accountPages, confirmPages])
  app.route("/", pages);
app.route("/admin/api", adminApi);
app.route("/", adminPages);
app.all("/oauth/register", async (c) => withRefusal(c, await registerClient(c)));
for (const path of METADATA_PATHS.issuer.paths)
  app.all(path, (c) => {
    c.req.raw = atPath(c.req.raw, METADATA_PATHS.issuer.servedAt);
    return serveAuthorization(c);
  });
// Browsers can read the library's 404 at other paths, unlike this server's own.
for (const path of [
  "/.well-known/oauth-authorization-server/*",
  "/.well-known/openid-configuration/*",
  "/oauth/*",
])
  app.all(path, (c) => serveAuthorization(c));

app.notFound((c) => c.text("Not found. The MCP endpoint is /mcp.\n", 404));

app.onError((error, c) => {
  // An id or code too long for KV; this server never issued it.
  if (error.message.includes("exceeds key length limit"))
    return refuseRequest(c, refuse("malformed_request", "A value is too long.").refusal);
  // hono/csrf throws this for a form that another site's page has sent.
  if (error instanceof HTTPException && error.status === 403)
    return refuseRequest(
      c,
      refuse("origin_denied", "This form was not sent by a page of this server.").refusal,
    );
  return refuseRequest(c, reportUnexpected(error, c.var, c.req.path));
});

async function serveAuthorization(c: AppContext): Promise<Response> {
  const exchange = beginExchange(c.req.raw, c.var.correlationId);
  const ask = (request: Request) =>
    authorizationServer(c.var).fetch(request, withTokenStore(c.env), c.env.ctx);
  const response = c.req.path === "/oauth/token" ? await refreshOnce(c, ask) : await ask(c.req.raw);
  if (exchange.failure !== undefined)
    return refuseRequest(c, reportUnexpected(exchange.failure, c.var, "enterprise authorization"));
  return withRefusal(c, response);
}

const POLICY_BROKEN = "This server is not configured: its policy is not valid. Its log says where.\n";

const SETTINGS_WRONG = "This server is not configured: a setting is not valid. Its log says which.\n";
