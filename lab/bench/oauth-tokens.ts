import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import type { Answer, Connections } from "./load.ts";

const REDIRECT = "https://client.example/callback";

const clientSchema = z.object({ client_id: z.string() });
const tokensSchema = z.object({ access_token: z.string(), refresh_token: z.string() });
export type Granted = z.output<typeof tokensSchema> & { client_id: string };

/** Signs people in with their access keys, lets each allow one client, and returns their tokens. */
export async function grantTokens(
  url: string,
  connections: Connections,
  keys: readonly string[],
): Promise<Granted[]> {
  const registered = await connections.send(url, {
    path: "/oauth/register",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "bench",
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id } = clientSchema.parse(JSON.parse(registered.body));
  const tokens: Granted[] = [];
  for (const key of keys) tokens.push(await grantToken(url, connections, key, client_id));
  return tokens;
}

async function grantToken(
  url: string,
  connections: Connections,
  key: string,
  client_id: string,
): Promise<Granted> {
  const form = async (path: string, fields: [string, string][], cookie = "") =>
    connections.send(url, {
      path,
      headers: { "content-type": "application/x-www-form-urlencoded", origin: url, cookie },
      body: new URLSearchParams(fields).toString(),
    });
  const cookie = cookieOf(await form("/sign-in", [["key", key]]));
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri: REDIRECT,
    scope: "catalog:read",
    resource: `${url}/mcp`,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const consent = await connections.send(url, {
    path: `/authorize?${query.toString()}`,
    headers: { cookie },
  });
  const allowed = await form(
    "/authorize",
    [
      ["handle", fieldOf(consent, "handle")],
      ["next", fieldOf(consent, "next")],
      ["decision", "allow"],
      ["scope", "catalog:read"],
    ],
    // The consent page sets a cookie that binds its form to this browser.
    [cookie, cookieOf(consent)].join("; "),
  );
  const code = new URL(allowed.headers.location ?? "missing:").searchParams.get("code") ?? "";
  const exchanged = await form("/oauth/token", [
    ["grant_type", "authorization_code"],
    ["client_id", client_id],
    ["code", code],
    ["redirect_uri", REDIRECT],
    ["code_verifier", verifier],
  ]);
  return { ...tokensSchema.parse(JSON.parse(exchanged.body)), client_id };
}

const cookieOf = ({ headers }: Answer): string =>
  (headers["set-cookie"] ?? []).map((line) => line.split(";")[0] ?? "").join("; ");

function fieldOf({ body }: Answer, name: string): string {
  const [, value = ""] = new RegExp(`name="${name}" value="([^"]*)"`).exec(body) ?? [];
  return value.replaceAll("&amp;", "&");
}
