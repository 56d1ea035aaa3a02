import type { AdminEvent } from "../../caller/audit/records.ts";
import { list } from "./units.ts";

// Admin events of a caller's audit in words.

/** The person or program that decided or changed something. */
export function byWords(by: string): string {
  if (by === "principal") return "the caller, in its client's form";
  return by === "sign-on" ? "the sign-in provider" : by;
}

/** An event as the end of a sentence that begins with byWords(). */
export function eventWords(event: AdminEvent): string {
  if (event.kind === "change") return changeWords(event);
  const past = event.rules.length === 0 ? "" : ` past ${list(event.rules)}`;
  switch (event.decision) {
    case "released":
      return `allowed it${past}`;
    case "declined":
      return `declined to allow it${past}`;
    case "closed":
      return "closed an incident";
    case "disabled":
      return "disabled it";
    case "enabled":
      return "enabled it";
    case "vouched":
      return "vouched for it: it no longer shares its creator's budget";
    default: {
      const none: never = event.decision;
      return none;
    }
  }
}

function changeWords({
  change,
  roles,
  key,
  customer,
  client,
}: Extract<AdminEvent, { kind: "change" }>): string {
  const named = list(roles ?? []) || "no role";
  switch (change) {
    case "user_added":
      return `added it, with ${named}${customer === null ? "" : `, for customer ${customer}`}`;
    case "user_deleted":
      return "deleted it";
    case "roles_set":
      return `set its roles: ${named}`;
    case "customer_set":
      return customer === null ? "removed its customer" : `made ${customer} its customer`;
    case "key_added":
      return `gave it the access key ${key}${roles === null ? "" : `, only for ${named}`}`;
    case "key_revoked":
      return `revoked its access key ${key}`;
    case "signing_key_added":
      return `gave it the signing key ${key}`;
    case "signing_key_revoked":
      return `revoked its signing key ${key}`;
    case "signed_in":
      return key === null ? "signed in by the sign-in provider" : `signed in with the access key ${key}`;
    case "client_allowed":
      return `allowed the client ${client} to act for it`;
    case "client_ended":
      return `disconnected the client ${client}`;
    case "refresh_repeated":
      return `got the same tokens twice for the client ${client}, which used a refresh token twice within 30 seconds`;
    case "refresh_replayed":
      return `lost the client ${client}, because its refresh token was used again: it may be stolen`;
    default: {
      const none: never = change;
      return none;
    }
  }
}
