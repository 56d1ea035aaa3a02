import type { Chance } from "../../cli/sample/chance.ts";
import { UCP_PATH } from "../../src/http/well-known.ts";
import { type Sent, form, json, legacy, modern, rpc } from "../support/requests.ts";
import type { Lock } from "../surface/lock.ts";

const ID = "C-10042";

/** Pages and lists that a browser or an admin's program opens. */
const PAGES = `
/ /healthz /readyz /metrics /setup /sign-in /account /admin /admin/incidents /admin/callers /admin/audit /admin/stock /admin/policy
/admin/callers/${ID} /admin/audit/${ID} /admin/audit/${ID}/download /confirm/${ID} /assets/admin.css
/admin/api/users /admin/api/keys /admin/api/signing-keys /admin/api/incidents /admin/api/audit /admin/api/audit/${ID}
/admin/api/audit/customers/${ID} /admin/api/audit/customers/${ID}/readings
/.well-known/oauth-protected-resource /.well-known/oauth-protected-resource/mcp /.well-known/ucp /.well-known/ai-catalog.json /mcp/server-card
/.well-known/oauth-authorization-server /.well-known/openid-configuration
/authorize?response_type=code&client_id=x&redirect_uri=https%3A%2F%2Fclient.example%2Fcb&code_challenge=x&code_challenge_method=S256
/sign-on/callback?code=x&state=y
`
  .trim()
  .split(/\s+/);

/** Forms and JSON that change something, or try to. */
const POSTS: readonly Sent[] = [
  form("/sign-in", { key: "pcm_x", next: "/" }),
  form("/sign-out", {}),
  form("/setup", { code: "x", id: "admin-1", name: "A" }),
  form("/setup/code", {}),
  form("/sign-on/start", { next: "/" }),
  form("/authorize", { decision: "allow", handle: "x", scope: "catalog:read" }),
  form("/account/keys/revoke", { id: "x" }),
  form(`/confirm/${ID}`, { decision: "allow" }),
  form(`/admin/callers/${ID}/disable`, { note: "x" }),
  form(`/admin/stock/${ID}/undo`, { note: "x" }),
  form("/oauth/token", {
    grant_type: "authorization_code",
    code: "a:b:c",
    client_id: "x",
    code_verifier: "v".repeat(43),
  }),
  form("/oauth/token", { grant_type: "refresh_token", refresh_token: "a:b:c", client_id: "x" }),
  json("/oauth/register", {
    client_name: "fuzz",
    redirect_uris: ["https://client.example/cb"],
    token_endpoint_auth_method: "none",
  }),
  json("/admin/api/users", { id: "fuzz-1", kind: "service", name: "Fuzz", roles: ["shopper"] }),
  json("/admin/api/keys", { user: "fuzz-1", label: "x" }),
  json("/admin/api/signing-keys", { user: "fuzz-1", algorithm: "hmac-sha256", label: "x" }),
  { ...json("/admin/api/users/fuzz-1/roles", { roles: ["shopper"] }), method: "PUT" },
  json("/webhooks/stock", { changes: [{ sku: "SKU-10001", warehouse: "east", quantity: 3, sequence: 1 }] }),
];

const DISCOVERY: readonly [string, object][] = [
  ["tools/list", {}],
  ["resources/list", {}],
  ["resources/templates/list", {}],
  ["prompts/list", {}],
  ["server/discover", {}],
  ["ping", {}],
  ["resources/read", { uri: "catalog://products/SKU-10001" }],
  ["resources/read", { uri: "catalog://categories" }],
  ["prompts/get", { name: "compare_products", arguments: { skus: "SKU-10001,SKU-10002" } }],
  [
    "completion/complete",
    {
      ref: { type: "ref/resource", uri: "catalog://products/{sku}" },
      argument: { name: "sku", value: "SKU-1" },
    },
  ],
];

/** Begins the names of the UCP endpoint's tools in tool-definitions.json. */
const UCP = "ucp:";

/** Returns a way to make valid requests of every kind. */
export function validRequests({ tools }: Pick<Lock, "tools">) {
  const calls = Object.values(tools).flatMap(({ tool, examples }) =>
    examples.map((args) => ({ isUcp: tool.startsWith(UCP), name: tool.replace(UCP, ""), arguments: args })),
  );
  const message = (random: Chance, path = "/mcp"): [string, object] => {
    if (random.between(1, 4) === 1) return random.oneOf(DISCOVERY);
    const { isUcp: _, ...call } = random.oneOf(calls.filter(({ isUcp }) => isUcp === (path === UCP_PATH)));
    return ["tools/call", call];
  };
  return (random: Chance): Sent => {
    const kind = random.between(1, 10);
    if (kind === 1) return { method: "GET", path: random.oneOf(PAGES), headers: {} };
    if (kind === 2) return random.oneOf(POSTS);
    if (kind === 3)
      return legacy(
        "/mcp",
        Array.from({ length: random.between(1, 5) }, (_, id) => rpc(message(random), id)),
      );
    const path = random.oneOf(["/mcp", "/mcp", "/mcp", "/mcp/public", UCP_PATH]);
    return random.between(1, 2) === 1
      ? legacy(path, rpc(message(random, path), 1))
      : modern(path, message(random, path));
  };
}
