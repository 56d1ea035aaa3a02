import * as z from "zod";
import { findKeyById } from "./access-keys.ts";
import { findIdentity } from "./external-identities.ts";
import type { CredentialProblem, Found } from "./users.ts";

/**
 * What a sign-in stands on: an access key, or a person's account at the sign-in provider. What it opened, a browser
 * session or an OAuth grant, reaches no further than it does, and closes with it.
 */
export const credentialSchema = z.union([
  z.strictObject({ keyId: z.string() }),
  z.strictObject({ identityId: z.string() }),
]);
export type Credential = z.output<typeof credentialSchema>;

/** Names it among all credentials: ids of keys and of identities begin differently. */
export const credentialId = (credential: Credential): string =>
  "keyId" in credential ? credential.keyId : credential.identityId;

/** Whom a credential stands for, or why it no longer does. Read on every call, so that a revocation holds at once. */
export function findCredential(db: D1Database, credential: Credential, now: number): Promise<Found> {
  return "keyId" in credential
    ? findKeyById(db, credential.keyId, now)
    : findIdentity(db, credential.identityId, now);
}

/** Why a bearer token is refused, as callers are told. */
export const PROBLEMS: Record<CredentialProblem | "key_malformed", string> = {
  key_malformed: "the access key is cut off or mistyped",
  key_unknown: "there is no such access key",
  key_expired: "the access key has expired",
  key_revoked: "the access key was revoked",
  sign_in_unknown: "the sign-in that this stands on was withdrawn",
  sign_in_expired: "the last sign-in is too long ago",
  user_disabled: "the user is disabled",
};
