import { expect, it } from "vitest";
import { callsIn } from "../../cli/audit/calls.ts";

const AT = 1_800_000_000_000;
const hit = (rule: string, mode: string, verdict: string) => ({ rule, mode, verdict });
const attempt = (seq: number, decision: string, hits: object[]) => ({
  seq,
  at: AT + seq,
  kind: "attempt",
  name: "get_customer",
  decision,
  correlation_id: `c-${seq}`,
  flow: null,
  hits,
});

async function* exported(records: object[]): AsyncGenerator<Uint8Array> {
  for (const record of records) yield Buffer.from(`${JSON.stringify({ record, hash: "" })}\n`);
}

it("names the rules that stopped a call, and the time of the last of its repeats", async () => {
  const hits = [
    hit("people", "enforce", "confirm"),
    hit("crawl", "shadow", "block"),
    hit("odd", "enforce", "flag"),
  ];
  const records = [
    attempt(1, "confirmation_required", hits),
    {
      kind: "repeats",
      of: 1,
      at: AT + 90_000,
      last_at: AT + 40_000,
      count: 7,
      decision: "confirmation_required",
    },
    attempt(2, "admitted", []),
    {
      kind: "outcome",
      attempt: 2,
      outcome: "ok",
      withheld: "confirmation_required",
      records: 1,
      flow: null,
      hits,
    },
  ];
  const stopped = { ended: "confirmation_required", rules: ["people"] };
  expect(await callsIn("ada", exported(records))).toMatchObject([
    { ...stopped, times: 1, correlation_id: "c-1" },
    { ...stopped, times: 1, records: 1, correlation_id: "c-2" },
    { ...stopped, times: 7, at: new Date(AT + 40_000).toISOString() },
  ]);
});
