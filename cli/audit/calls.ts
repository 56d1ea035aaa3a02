import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import * as z from "zod";
import { ADMITTED } from "../../src/caller/audit/records.ts";
import { isRefused } from "../../src/detection/decision.ts";
import { RULE_VERDICTS } from "../../src/detection/rules.ts";
import { parseJson } from "../read-file.ts";

const STOPPING = new Set<string>(RULE_VERDICTS.filter(isRefused));

/** One call of an audit as a command prints it. */
export interface AuditedCall {
  at: string;
  principal: string;
  call: string;
  /** `ok`, or the code of the refusal; `running` if the audit has no outcome yet. */
  ended: string;
  /** The rules that stopped it. */
  rules: string[];
  /** More than 1 for refusals that the audit only counts. */
  times: number;
  records: number;
  correlation_id: string;
}

const hits = z
  .array(z.object({ rule: z.string(), mode: z.string(), verdict: z.string() }))
  .catch([])
  .transform((all) =>
    all.filter(({ mode, verdict }) => mode === "enforce" && STOPPING.has(verdict)).map(({ rule }) => rule),
  );

/** A call, and the tokens of the people that it asked for or was answered with. */
interface Known {
  call: AuditedCall;
  people: string[];
}

const tokens = z.object({ subjects: z.array(z.string()).catch([]) }).nullish();
/** The fields that are read here. An unknown kind, and what a newer release adds, is ignored. */
const lineSchema = z.object({
  record: z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("attempt"),
      seq: z.int(),
      at: z.int(),
      name: z.string(),
      decision: z.string(),
      correlation_id: z.string(),
      flow: tokens,
      hits,
    }),
    z.object({
      kind: z.literal("outcome"),
      attempt: z.int(),
      outcome: z.string(),
      withheld: z.string().nullish(),
      records: z.int(),
      flow: tokens,
      hits,
    }),
    z.object({
      kind: z.literal("repeats"),
      of: z.int(),
      last_at: z.int(),
      count: z.int(),
      decision: z.string(),
    }),
  ]),
});

/**
 * Returns the calls of one caller's exported audit. `customer` is the token of a customer: only calls that
 * asked for that customer, or were answered with their data, are returned then.
 */
export async function callsIn(
  principal: string,
  audit: AsyncIterable<Uint8Array>,
  customer?: string,
): Promise<AuditedCall[]> {
  const calls = new Map<number, Known>();
  const repeats: Known[] = [];
  for await (const line of createInterface({ input: Readable.from(audit), crlfDelay: Infinity })) {
    const record = lineSchema.safeParse(parseJson(line)).data?.record;
    if (record?.kind === "attempt") {
      const { seq, at, name, decision, correlation_id, flow, hits: rules } = record;
      const ended = decision === ADMITTED ? "running" : decision;
      const call = {
        at: timeOf(at),
        principal,
        call: name,
        ended,
        rules,
        times: 1,
        records: 0,
        correlation_id,
      };
      calls.set(seq, { call, people: flow?.subjects ?? [] });
    } else if (record?.kind === "outcome") {
      const known = calls.get(record.attempt);
      if (known === undefined) continue;
      known.call.ended = record.withheld ?? record.outcome;
      known.call.records = record.records;
      known.call.rules.push(...record.hits);
      known.people.push(...(record.flow?.subjects ?? []));
    } else if (record?.kind === "repeats") {
      const first = calls.get(record.of);
      if (first !== undefined && record.decision !== ADMITTED)
        repeats.push({ ...first, call: { ...first.call, at: timeOf(record.last_at), times: record.count } });
    }
  }
  return [...calls.values(), ...repeats]
    .filter(({ people }) => customer === undefined || people.includes(customer))
    .map(({ call }) => call);
}

const timeOf = (at: number): string => new Date(at).toISOString();
