import type { AdmissionRequest } from "../caller/admission.ts";
import { describeArguments } from "../detection/describe.ts";
import type { WriteSize } from "../detection/size.ts";
import { type Labels, isPersonal } from "../detection/labels.ts";
import { limitOf, weightOf } from "../policy/roles.ts";
import { detailsNamed } from "../support/details.ts";
import type { GuardContext, GuardedCall } from "./guarded-call.ts";
import type { LocalRefusals } from "./local-checks.ts";
import { digestArguments, redactArguments } from "./redact.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Describes a call to its caller's object. `catalogSize` is the number of active products, which some flow rules use; `size`
 * is that of the planned write.
 */
export function admissionRequest(
  { policy, principal, secretKey, protocol, client, limit }: GuardContext,
  { correlationId, target, args, agreed, trace }: GuardedCall,
  local: LocalRefusals,
  catalogSize: number,
  size?: WriteSize,
): AdmissionRequest {
  const { kind, name, bucket, labels } = target;
  const { roles } = principal;
  const { max, window_s } = limit ?? limitOf(policy, roles, bucket);
  return {
    principal: principal.id,
    refused: {
      ...(local.signature && { signature: local.signature.code }),
      ...(local.permission && { permission: local.permission.code }),
      ...(local.arguments && { arguments: local.arguments.code }),
    },
    limit: { max, windowMs: window_s * 1000 },
    retentionMs: policy.retention.audit_days * DAY_MS,
    attempt: {
      target: kind,
      name,
      bucket,
      weight: weightOf(policy, bucket, name),
      roles,
      digest: digestArguments(args, secretKey),
      arguments: redactArguments(policy, name, args),
      protocol,
      client,
      correlation_id: correlationId,
      ...trace,
      // Refused arguments name nothing, and they can be long: 1 MB of ids would make a record of 4 MB.
      flow: labels ? withSize(describe(labels, local.arguments ? {} : args, secretKey), size) : null,
      catalog_size: catalogSize,
    },
    ...(agreed && { agreed }),
    ...(labels?.cost.page && { isPaged: true }),
  };
}

/** A write that changes nothing, such as a retry, costs nothing. */
const withSize = (flow: ReturnType<typeof describe>, size: WriteSize | undefined) =>
  size === undefined
    ? flow
    : { ...flow, size, ...(size.units === 0 && { cost: { ...flow.cost, records: 0 } }) };

function describe(labels: Labels, args: unknown, key: string) {
  const described = describeArguments(labels, args, key);
  // Kept even if there are none: a record without them is from an earlier release (src/caller/detection/call-event.ts).
  return described.unnamed.subject && isPersonal(labels)
    ? { ...described, details: detailsNamed(args, key) }
    : described;
}
