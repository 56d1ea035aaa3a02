import type { FlowCall } from "../../detection/event.ts";
import type { OpenAttempt } from "../audit/records.ts";

/** Returns the flow event of an attempt; undefined if the call has no labels. */
export function toFlowCall({ seq, at, name, digest, roles, flow }: OpenAttempt): FlowCall | undefined {
  return flow === null ? undefined : { attempt: seq, at, tool: name, digest, roles, ...flow };
}
