import type { FlowDetail } from "../../detection/details.ts";
import type { FlowCall } from "../../detection/event.ts";
import type { OpenAttempt } from "../audit/records.ts";

/** Records of earlier releases lack the details of a search. Their readings count as explained, by no known detail. */
const UNRECORDED: readonly FlowDetail[] = [{ by: "name_postcode", tokens: [] }];

/** Returns the flow event of an attempt; undefined if the call has no labels. */
export function toFlowCall({ seq, at, name, digest, roles, flow }: OpenAttempt): FlowCall | undefined {
  if (flow === null) return undefined;
  const isEarlier = flow.unnamed.subject && flow.details === undefined;
  return {
    attempt: seq,
    at,
    tool: name,
    digest,
    roles,
    ...flow,
    ...(isEarlier && { details: UNRECORDED }),
  };
}
