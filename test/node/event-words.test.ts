import { expect, it } from "vitest";
import { actWords, byWords } from "../../src/web/admin/event-words.ts";
import type { Act } from "../../src/caller/audit/records.ts";

type Change = Extract<Act, { kind: "change" }>;
type Decision = Extract<Act, { kind: "decision" }>;

const change = (what: Partial<Change>) =>
  actWords({
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
  actWords({
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
  [change({ change: "customer_set" }), "took its customer away"],
  [change({ change: "key_added", key: "k1" }), "gave it the access key k1"],
  [
    change({ change: "key_added", key: "k1", roles: ["shopper"] }),
    "gave it the access key k1, for shopper alone",
  ],
  [change({ change: "key_revoked", key: "k1" }), "revoked its access key k1"],
  [change({ change: "signing_key_added", key: "s1" }), "gave it the signing key s1"],
  [change({ change: "signing_key_revoked", key: "s1" }), "revoked its signing key s1"],
  [change({ change: "signed_in", key: "k1" }), "signed in with the access key k1"],
  [change({ change: "signed_in" }), "signed in by the sign-in provider"],
  [change({ change: "client_allowed", client: "c1" }), "let the client c1 act for it"],
  [change({ change: "client_ended", client: "c1" }), "ended the client c1"],
  [decision({ rules: ["people", "taint"] }), "let it through past people and taint"],
  [decision({}), "let it through"],
  [decision({ decision: "declined", rules: ["people"] }), "declined to let it through past people"],
  [decision({ decision: "closed", rules: ["people"] }), "closed an incident"],
  [decision({ decision: "disabled" }), "disabled it"],
  [decision({ decision: "enabled" }), "enabled it"],
  [decision({ decision: "vouched" }), "vouched for it: it shares its maker's budget no longer"],
])("an admin event reads %j", (words, expected) => {
  expect(words).toBe(expected);
});
