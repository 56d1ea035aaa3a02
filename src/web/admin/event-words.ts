import type { Act } from "../../caller/audit/records.ts";
import { list } from "./words.ts";

// What people did about a caller, in words.

/** Who decided or changed something. */
export function byWords(by: string): string {
  if (by === "principal") return "the caller, in its client's form";
  return by === "sign-on" ? "the sign-in provider" : by;
}

/** What was done to a caller, behind the name of whoever did it. */
export function actWords(act: Act): string {
  if (act.kind === "change") return changeWords(act);
  const past = act.rules.length === 0 ? "" : ` past ${list(act.rules)}`;
  switch (act.decision) {
    case "released":
      return `let it through${past}`;
    case "declined":
      return `declined to let it through${past}`;
    case "closed":
      return "closed an incident";
    case "disabled":
      return "disabled it";
    case "enabled":
      return "enabled it";
    case "vouched":
      return "vouched for it: it shares its maker's budget no longer";
    default: {
      const none: never = act.decision;
      return none;
    }
  }
}

function changeWords({ change, roles, key, customer, client }: Extract<Act, { kind: "change" }>): string {
  const named = list(roles ?? []) || "no role";
  switch (change) {
    case "user_added":
      return `added it, with ${named}${customer === null ? "" : `, for customer ${customer}`}`;
    case "user_deleted":
      return "deleted it";
    case "roles_set":
      return `set its roles: ${named}`;
    case "customer_set":
      return customer === null ? "took its customer away" : `made ${customer} its customer`;
    case "key_added":
      return `gave it the access key ${key}${roles === null ? "" : `, for ${named} alone`}`;
    case "key_revoked":
      return `revoked its access key ${key}`;
    case "signing_key_added":
      return `gave it the signing key ${key}`;
    case "signing_key_revoked":
      return `revoked its signing key ${key}`;
    case "signed_in":
      return key === null ? "signed in by the sign-in provider" : `signed in with the access key ${key}`;
    case "client_allowed":
      return `let the client ${client} act for it`;
    case "client_ended":
      return `ended the client ${client}`;
    default: {
      const none: never = change;
      return none;
    }
  }
}
