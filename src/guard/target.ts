import type { Labels } from "../detection/labels.ts";
import type { Bucket } from "../policy/schema.ts";
import type { Scope } from "../identity/scopes.ts";
import type { TargetKind } from "../policy/roles.ts";
import type { Attempt } from "../caller/audit/records.ts";

/** The name of what does not exist: no text of a caller's own choosing stands where audit, policy and metrics keep names. */
export const NO_NAME = "?";

/** What a message asks for, as the guard sees it: a name and what was declared about it, and no code of it. */
export interface Target {
  kind: Attempt["target"];
  /** As the policy and the audit name it; NO_NAME where the caller named nothing that exists. */
  name: string;
  bucket: Bucket;
  /** The scope that a token needs, and the policy's list that must name the thing; undefined where anyone may ask. */
  access: { scope: Scope; listed?: { kind: TargetKind; name: string } } | undefined;
  labels: Labels | undefined;
}
