import { expect, it } from "vitest";
import { nextPath } from "../../src/web/layout/next-path.ts";

const path = (length: number) => `/${"a".repeat(length - 1)}`;
/** A client's authorization request: a redirect, a challenge, a state and a resource of ordinary length. */
const AUTHORIZE = `/authorize?${new URLSearchParams({
  response_type: "code",
  client_id: "https://client.example/oauth/client-metadata.json",
  redirect_uri: "https://client.example/api/mcp/auth_callback",
  code_challenge: "a".repeat(43),
  code_challenge_method: "S256",
  state: "s".repeat(500),
  scope: "catalog:read support:read support:write admin offline_access",
  resource: "https://catalog.example.workers.dev/mcp",
}).toString()}`;

it.each([
  ["/account", "/account"],
  [AUTHORIZE, AUTHORIZE],
  [path(2_048), path(2_048)],
  [path(2_049), "/"],
  // Each is twelve bytes long when stored.
  [`/?${"😀".repeat(170)}`, `/?${"%F0%9F%98%80".repeat(170)}`],
  [`/?${"😀".repeat(200)}`, "/"],
  ["https://evil.example/", "/"],
])("%.60s", (next, expected) => {
  expect(nextPath(next)).toBe(expected);
});
