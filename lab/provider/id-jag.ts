import { type KeyObject, randomUUID, sign } from "node:crypto";
import type { Provider } from "oidc-provider";
import type { Person } from "./openid.ts";

// The provider's part of enterprise-managed authorization: it exchanges a person's id token, which a client got at a
// sign-in, for an assertion that the client redeems at the catalog server (RFC 8693, and the draft "Identity Assertion
// JWT Authorization Grant").

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_JAG = "urn:ietf:params:oauth:token-type:id-jag";
const LIFETIME_S = 300;

interface Exchange {
  subject_token?: string;
  audience?: string;
  resource?: string;
  scope?: string;
}

interface Issuing {
  key: KeyObject;
  people: ReadonlyMap<string, Person>;
  /** The id that a client of the provider has at the catalog server. */
  idAtServer: (clientId: string) => string | undefined;
}

/** Adds the grant to the provider's token endpoint. */
export function issueAssertions(provider: Provider, { key, people, idAtServer }: Issuing): void {
  provider.registerGrantType<Exchange>(
    TOKEN_EXCHANGE,
    async (ctx) => {
      const { client, params } = ctx.oidc;
      const { subject_token = "", audience, resource, scope } = params ?? {};
      const { payload } = await provider.IdToken.validate(subject_token, client);
      const sub = String(payload["sub"]);
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: provider.issuer,
        sub,
        aud: audience,
        client_id: idAtServer(client.clientId),
        resource,
        scope,
        jti: randomUUID(),
        iat: now,
        exp: now + LIFETIME_S,
        ...people.get(sub),
      };
      const issued = { access_token: jwt(claims, key), token_type: "N_A", expires_in: LIFETIME_S };
      ctx.body = { ...issued, issued_token_type: ID_JAG };
    },
    ["subject_token", "subject_token_type", "requested_token_type", "audience", "resource", "scope"],
  );
}

function jwt(claims: object, key: KeyObject): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = `${encode({ alg: "RS256", typ: "oauth-id-jag+jwt", kid: "k1" })}.${encode(claims)}`;
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), key).toString("base64url")}`;
}
