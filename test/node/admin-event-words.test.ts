import { expect, it } from "vitest";
import { eventWords, byWords } from "../../src/web/admin/admin-event-words.ts";
import type { AdminEvent } from "../../src/caller/audit/records.ts";

type Change = Extract<AdminEvent, { kind: "change" }>;
type Decision = Extract<AdminEvent, { kind: "decision" }>;

const change = (what: Partial<Change>) =>
  eventWords({
    seq: 1,
    at: 0,
    kind: "change",
    change: "roles_set",
    by: "ada",
    roles: null,
    key: null,
    customer: null,
    ...what,
  });
const decision = (what: Partial<Decision>) =>
  eventWords({
    seq: 1,
    at: 0,
    kind: "decision",
    decision: "released",
    rules: [],
    incident: null,
    by: "ada",
    until: 0,
    allowance: 0,
    note: null,
    ...what,
  });

it.each([
  [change({ change: "user_added", roles: ["shopper", "support"] }), "added it, with shopper and support"],
  [
    change({ change: "user_added", roles: ["customer"], customer: "C-1" }),
    "added it, with customer, for customer C-1",
  ],
  [byWords("ada"), "ada"],
  [byWords("sign-on"), "the sign-in provider"],
  [byWords("principal"), "the caller, in its client's form"],
  [change({ change: "roles_set", roles: [] }), "set its roles: no role"],
  [change({ change: "customer_set", customer: "C-1" }), "made C-1 its customer"],
  [change({ change: "customer_set" }), "removed its customer"],
  [change({ change: "key_added", key: "k1" }), "gave it the access key k1"],
  [
    change({ change: "key_added", key: "k1", roles: ["shopper"] }),
    "gave it the access key k1, only for shopper",
  ],
  [change({ change: "key_revoked", key: "k1" }), "revoked its access key k1"],
  [change({ change: "signing_key_added", key: "s1" }), "gave it the signing key s1"],
  [change({ change: "signing_key_revoked", key: "s1" }), "revoked its signing key s1"],
  [change({ change: "signed_in", key: "k1" }), "signed in with the access key k1"],
  [change({ change: "signed_in" }), "signed in by the sign-in provider"],
  [change({ change: "client_allowed", client: "c1" }), "allowed the client c1 to act for it"],
  [change({ change: "client_ended", client: "c1" }), "disconnected the client c1"],
  [decision({ rules: ["people", "taint"] }), "allowed it past people and taint"],
  [decision({}), "allowed it"],
  [decision({ decision: "declined", rules: ["people"] }), "declined to allow it past people"],
  [decision({ decision: "closed", rules: ["people"] }), "closed an incident"],
  [decision({ decision: "disabled" }), "disabled it"],
  [decision({ decision: "enabled" }), "enabled it"],
  [decision({ decision: "vouched" }), "vouched for it: it no longer shares its creator's budget"],
])("describes an admin event: %j", (words, expected) => {
  expect(words).toBe(expected);
});
