import * as z from "zod";
import { findKeyById } from "./access-keys.ts";
import { findIdentity } from "./external-identities.ts";
import type { CredentialProblem, Found } from "./users.ts";

/**
 * The credential behind a sign-in: an access key, or a person's account at the sign-in provider. A browser session or
 * OAuth grant made with it never has more rights than it, and ends with it.
 */
export const credentialSchema = z.union([
  z.strictObject({ keyId: z.string() }),
  z.strictObject({ identityId: z.string() }),
]);
export type Credential = z.output<typeof credentialSchema>;

/** Returns the credential's unique name: ids of keys and of identities have different prefixes. */
export const credentialId = (credential: Credential): string =>
  "keyId" in credential ? credential.keyId : credential.identityId;

/** Returns the user of a credential, or why it is refused. Runs on every call, so a revocation takes effect at once. */
export function findCredential(db: D1Database, credential: Credential, now: number): Promise<Found> {
  return "keyId" in credential
    ? findKeyById(db, credential.keyId, now)
    : findIdentity(db, credential.identityId, now);
}

/** The reason that callers see when a bearer token is refused. */
export const PROBLEMS: Record<CredentialProblem | "key_malformed", string> = {
  key_malformed: "the access key is cut off or mistyped",
  key_unknown: "there is no such access key",
  key_expired: "the access key has expired",
  key_revoked: "the access key was revoked",
  sign_in_unknown: "the sign-in behind this token was revoked",
  sign_in_expired: "the last sign-in is too long ago",
  user_disabled: "the user is disabled",
};
