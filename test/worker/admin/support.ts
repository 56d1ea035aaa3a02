import { admission, type newObject, settlement } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";

// Helpers for a caller of the flow rules that talk to its Durable Object directly.

const LIMIT = { max: 1_000, windowMs: 60_000 };
const about = (person: string) => ({
  classes: ["identity" as const],
  kinds: ["source" as const],
  cost: { records: 1, bytes: 100 },
  unnamed: { subject: false, objects: 0 },
  // People whom a phone number found count for one rule about people alone.
  details: [{ by: "phone" as const, tokens: [`phone of ${person}`] }],
  subjects: [person],
  objects: [],
  neighbourhoods: [],
});
export type Caller = ReturnType<typeof newObject>;

/** Makes and settles one call about a person; returns its refusal, if any. */
export async function read({ principal, object }: Caller, person: string, missed = false) {
  const flow = about(person);
  // Every miss asks for something else: equal misses count once.
  const digest = missed ? crypto.randomUUID() : "digest";
  const attempt = { name: "get_customer", roles: ["support"], flow, digest };
  const answer = await object.admit(admission(principal, { limit: LIMIT, attempt }));
  if (!answer.admitted) return answer.stage === "flow" ? answer.refusal : undefined;
  const { subjects, objects } = flow;
  await object.settle({
    ...settlement(answer.seq),
    flow: { subjects, objects, missed, tainted: false, canary: false },
  });
  return undefined;
}

/** Reads one person after another until it is stopped; returns the incident. */
export async function stop(caller: Caller, names = "person"): Promise<string> {
  for (let person = 0; person < 20; person++) {
    const refusal = await read(caller, `${names}-${person}`);
    if (refusal?.verdict === "confirm") return refusal.incident;
  }
  throw new Error("Nobody stopped it.");
}

/** Returns the records of people's decisions. */
export const decisionsOf = async ({ object }: Caller) =>
  (await recordsOf(object)).filter((record) => record.kind === "decision");
