import { keptTokenOf } from "../detection/tokens.ts";
import { type CallRecord, type FlowVerdict, UNKNOWN } from "../telemetry/call-record.ts";
import { callBegan, callEnded } from "../telemetry/sink.ts";
import { NO_NAME } from "./target.ts";
import type { Guard, GuardContext } from "./guarded-call.ts";
import { lengthOnly, shownArguments } from "./redact.ts";

type RecordedContext = Pick<GuardContext, "policy" | "principal" | "secretKey" | "protocol" | "client">;

/**
 * Wraps a guard so that telemetry hears of every call once, when it is over: refused, settled, or settled after the answer
 * has left. Every call passes the guard, and only the guard knows the verdicts of the caller's Durable Object.
 */
export function recorded(guard: Guard, context: RecordedContext): Guard {
  const { policy, principal, secretKey, protocol, client } = context;
  return {
    get longestWaitMs() {
      return guard.longestWaitMs;
    },
    async admit(call) {
      const { target, correlationId, trace = {} } = call;
      const started = performance.now();
      const begun = {
        kind: target.kind,
        name: target.name === NO_NAME ? UNKNOWN : target.name,
        principal: keptTokenOf("principal", principal.id, secretKey),
        client,
        protocol,
        correlationId,
        trace,
      };
      callBegan(begun);
      const end = (rest: Ended) =>
        callEnded({
          ...begun,
          resultBytes: 0,
          records: 0,
          durationMs: performance.now() - started,
          ...rest,
          arguments: shownArguments(policy, target.name, call.args, lengthOnly),
        });

      const admission = await guard.admit(call).catch((error: unknown) => {
        end({ outcome: "internal", ran: false, degraded: false, verdicts: [] });
        throw error;
      });
      if (admission.isStale === true) return admission;
      const { verdicts = [], degraded = false } = admission;
      if (!admission.ok) {
        end({ outcome: admission.refusal.code, ran: false, degraded, verdicts });
        return admission;
      }
      const admitted = admission.value;
      const settle: typeof admitted.settle = async (ran) => {
        const settled = await admitted.settle(ran);
        const outcome = settled.ok ? ran.outcome : settled.refusal.code;
        const durationMs = performance.now() - started;
        const seen = { records: ran.records, resultBytes: ran.bytes, durationMs };
        const over = (later: readonly FlowVerdict[]) =>
          end({ ...seen, outcome, ran: true, degraded, verdicts: [...verdicts, ...later] });
        if (settled.later === undefined) over(settled.verdicts ?? []);
        // The guard already keeps the request alive for it; a second waitUntil costs more than counting the call.
        else void settled.later.then(over);
        return settled;
      };
      return { ...admission, value: { ...admitted, settle } };
    },
  };
}

type Ended = Pick<CallRecord, "outcome" | "ran" | "degraded" | "verdicts"> &
  Partial<Pick<CallRecord, "records" | "resultBytes" | "durationMs">>;
