import type { Deadline } from "../deadlines.ts";
import { NETWORK, SHARED } from "../detection/event.ts";
import type { Principal } from "../identity/principal.ts";
import type { AdmissionRequest, Settlement, SettlementAnswer } from "../caller/admission.ts";
import { CallerClient } from "../caller/caller-client.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";

interface Answered {
  admission: AdmissionRequest;
  settlement: Omit<Settlement, "attempt">;
}

/**
 * Counts the products of an anonymous caller's answer against the budget of the network around its address, before the
 * answer is given: one subscriber holds many addresses. What is counted is what the answer holds, so nothing is reserved.
 *
 * Throws Unreachable if the network's object does not answer.
 */
export async function countForNetwork(
  {
    windows,
    network,
    principal,
    deadline,
  }: { windows: CallerNamespace; network: string; principal: Principal; deadline?: Deadline | undefined },
  { admission, settlement }: Answered,
): Promise<SettlementAnswer> {
  const { attempt } = admission;
  if (attempt.flow === null || settlement.flow === null || settlement.flow.objects.length === 0)
    return { given: true };
  const flow = {
    ...attempt.flow,
    subjects: [],
    objects: settlement.flow.objects,
    neighbourhoods: [],
    unnamed: { subject: false, objects: 0 },
  };
  const shared = {
    ...attempt,
    roles: [NETWORK, SHARED],
    weight: 0,
    arguments: JSON.stringify({ address: principal.id }),
    flow,
  };
  return new CallerClient(windows, network, deadline).share({
    admission: { ...admission, principal: network, attempt: shared },
    settlement: {
      ...settlement,
      flow: { ...settlement.flow, missed: false, missing: [], tainted: false, canary: false },
    },
  });
}
