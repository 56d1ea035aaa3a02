import { createHash } from "node:crypto";
import { clip, plainLine } from "../../text/plain-text.ts";
import type { SignOnPolicy } from "../../policy/sign-on.ts";

/** The provider's claims about a person: those of a checked id token, and those of its userinfo. */
export interface Claims {
  iss: string;
  sub: string;
  [claim: string]: unknown;
}

/** A person, derived from the provider's claims and the policy. */
export interface Person {
  issuer: string;
  subject: string;
  name: string;
  /** Empty if the policy refuses the person. */
  roles: string[];
  /** Null if the person is no customer; undefined if the policy leaves that to the admin API. */
  customerId: string | null | undefined;
}

const NAME_MAX = 200;
const CUSTOMER_ID_MAX = 64;

export function personOf(claims: Claims, policy: SignOnPolicy): Person {
  const named = [claims["name"], claims["preferred_username"], claims["email"]].map(line);
  return {
    issuer: claims.iss,
    subject: claims.sub,
    name: clip(named.find((name) => name !== "") ?? "No name", NAME_MAX),
    roles: rolesOf(claims[policy.roles_claim], policy),
    customerId:
      policy.customer_id_claim === undefined ? undefined : customerOf(claims[policy.customer_id_claim]),
  };
}

function rolesOf(groups: unknown, { mapping, default_role }: SignOnPolicy): string[] {
  // A map, because a group may be called "constructor".
  const rolesByGroup = new Map(Object.entries(mapping));
  const names: unknown[] = Array.isArray(groups) ? groups : [groups];
  const mapped = names.flatMap((name) => (typeof name === "string" ? (rolesByGroup.get(name) ?? []) : []));
  if (mapped.length > 0) return [...new Set(mapped)];
  return default_role === null ? [] : [default_role];
}

/** Returns whether a group grants the role, or people without a group get it. */
export const bringsRole = ({ mapping, default_role }: SignOnPolicy, role: string): boolean =>
  default_role === role || Object.values(mapping).some((roles) => roles.includes(role));

/** Never truncates: a shortened id would be another customer's. */
function customerOf(claim: unknown): string | null {
  const id = line(claim);
  return id === "" || id.length > CUSTOMER_ID_MAX ? null : id;
}

const line = (claim: unknown): string => (typeof claim === "string" ? plainLine(claim) : "");

/**
 * Returns the id of a person's user. It is made from issuer and subject, which a provider never gives to anybody else
 * (OpenID Connect Core 1.0, section 5.7), and not from an email address, which a successor may inherit.
 */
export function userIdOf({ issuer, subject }: Pick<Person, "issuer" | "subject">): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([issuer, subject]))
    .digest("base64url");
  return `oidc-${hash.slice(0, 22)}`;
}
