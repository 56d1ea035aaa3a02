import type { AppContext } from "../../app-types.ts";
import { hashSecret } from "../../identity/secrets.ts";

/** The scheme in any spelling that the OAuth library accepts, so that one token has one name. */
const BEARER = /^Bearer[\t ]+/i;

/** Returns a hash of the key or token in the Authorization header; undefined if there is none. */
export function bearerCredential(c: AppContext): string | undefined {
  const authorization = c.req.header("authorization");
  return authorization === undefined ? undefined : hashSecret(authorization.replace(BEARER, "").trim());
}
