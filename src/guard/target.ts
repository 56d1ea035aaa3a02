import type { Labels } from "../detection/labels.ts";
import type { Bucket } from "../policy/schema.ts";
import type { Scope } from "../identity/scopes.ts";
import type { TargetKind } from "../policy/roles.ts";
import type { Attempt } from "../caller/audit/records.ts";

/**
 * Stands for a name that does not exist, so that no text of the caller's choice is used as a name in the audit, the policy
 * and the metrics.
 */
export const NO_NAME = "?";

/** The thing that a message asks for, as the guard sees it: its name and what it declares, none of its code. */
export interface Target {
  kind: Attempt["target"];
  /** The name in the policy and the audit; NO_NAME if the caller named nothing that exists. */
  name: string;
  bucket: Bucket;
  /** The scope that a token needs, and the policy list that must contain the thing; undefined if anyone may use it. */
  access: { scope: Scope; listed?: { kind: TargetKind; name: string } } | undefined;
  labels: Labels | undefined;
  /** The work may run before it is admitted (read-ahead.ts); absent if it does not declare that. */
  runsAhead?: true | undefined;
}
