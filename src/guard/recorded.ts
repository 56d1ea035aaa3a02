import { keptTokenOf } from "../detection/tokens.ts";
import { type CallRecord, type FlowVerdict, UNKNOWN } from "../telemetry/call-record.ts";
import { callBegan, callEnded } from "../telemetry/sink.ts";
import { NO_NAME } from "./target.ts";
import type { Guard, GuardContext } from "./guarded-call.ts";
import { lengthOnly, shownArguments } from "./redact.ts";

type Watched = Pick<GuardContext, "policy" | "principal" | "secretKey" | "protocol" | "client">;

/**
 * A guard that tells telemetry of every call, once, when its last word is spoken: a refusal, the settlement that
 * the caller waits for, or the one behind the caller's back. All that is called passes the guard, and only the
 * guard knows what the caller's Durable Object saw, so this is where a call is told of, whatever path it took.
 */
export function recorded(guard: Guard, context: Watched): Guard {
  const { policy, principal, secretKey, protocol, client } = context;
  return {
    get longestWaitMs() {
      return guard.longestWaitMs;
    },
    async admit(call) {
      const { target, correlationId } = call;
      const started = performance.now();
      const begun = {
        kind: target.kind,
        name: target.name === NO_NAME ? UNKNOWN : target.name,
        principal: keptTokenOf("principal", principal.id, secretKey),
        client,
        protocol,
        correlationId,
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
        // The guard keeps the request alive for it; asking for that twice costs more than counting the call does.
        else void settled.later.then(over);
        return settled;
      };
      return { ...admission, value: { ...admitted, settle } };
    },
  };
}

type Ended = Pick<CallRecord, "outcome" | "ran" | "degraded" | "verdicts"> &
  Partial<Pick<CallRecord, "records" | "resultBytes" | "durationMs">>;
