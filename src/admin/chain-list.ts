import { type Page, type Position, pageOf } from "../database/page.ts";
import { logSurprise } from "../telemetry/log.ts";
import { type AnchorRow, anchorsOf, pageOfAnchors } from "../caller/audit/anchors.ts";
import { type Finding, auditIndex } from "../caller/audit/audit-index.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { causeOf } from "../unreachable.ts";
import type { Anchor } from "../caller/audit/chain.ts";
import type { RowProblem } from "../caller/audit/row-problem.ts";
import { compareRow } from "./anchor-row.ts";
import { secretKeyOf } from "../setup/secret-key.ts";

/**
 * A chain in a list. `problem` names a present or past fault of its row in D1, found at `found_at` (milliseconds since the
 * epoch). Both are null if no fault was ever found.
 */
export type ListedChain = Anchor & { problem: RowProblem | null; found_at: number | null };

/** Objects that one page calls about rows without a valid seal, such as rows of earlier releases. */
const ASKED_MAX = 50;

/** Name ranges in the order of the list. Anonymous callers come last, because they are many. */
const RANGES = [
  ["", "anon-"],
  ["anon-\u{10FFFF}", "\u{10FFFF}"],
  ["anon-", "anon-\u{10FFFF}"],
] as const;

/**
 * A page of the open chains, by name. If D1 lacks a chain of the audit index or has another one, the chain is read from the
 * caller's object and listed with the problem.
 */
export async function pageOfChains(
  env: Env,
  { after = [0, ""], size }: { after: Position | undefined; size: number },
): Promise<Page<ListedChain>> {
  const rows: { range: number; chain: ListedChain }[] = [];
  for (let range = Number(after[0]); range < RANGES.length && rows.length <= size; range++) {
    const [begin = "", end = ""] = RANGES[range] ?? [];
    const from = range === Number(after[0]) && after[1] !== "" ? String(after[1]) : begin;
    const chains = await chainsBetween(env, from, end, size + 1 - rows.length);
    for (const chain of chains) rows.push({ range, chain });
  }
  const { rows: shown, next } = pageOf(rows, size, ({ range, chain }) => [range, chain.principal]);
  return { rows: shown.map(({ chain }) => chain), next };
}

async function chainsBetween(env: Env, after: string, end: string, limit: number): Promise<ListedChain[]> {
  const key = await secretKeyOf(env);
  const [rows, indexed] = await Promise.all([
    pageOfAnchors(env.DB, { after, end, limit }, key),
    auditIndex(env).page(after, end, limit),
  ]);
  const rowOf = new Map(rows.map((row) => [row.anchor.principal, row]));
  const missed = indexed
    .filter(({ principal, started_at }) => rowOf.get(principal)?.anchor.started_at !== started_at)
    .map(({ principal }) => principal);
  const unsealed = rows.filter(({ isSealed }) => !isSealed).map(({ anchor }) => anchor.principal);
  // Include closed rows.
  for (const row of await anchorsOf(env.DB, missed, key)) rowOf.set(row.anchor.principal, row);
  const doubted = new Set([...missed, ...unsealed.slice(0, ASKED_MAX)]);
  const fromObjects = await Promise.all([...doubted].map((name) => readChain(env, name, rowOf.get(name))));

  const findings = new Map(indexed.map((chain) => [chain.principal, chain]));
  const listed = new Map<string, ListedChain>();
  for (const { anchor } of rows) {
    listed.set(anchor.principal, listedAs(anchor, findings.get(anchor.principal)?.finding));
  }
  for (const chain of fromObjects) if (chain !== undefined) listed.set(chain.principal, chain);
  return [...listed.values()].toSorted((a, b) => (a.principal < b.principal ? -1 : 1)).slice(0, limit);
}

const listedAs = (chain: Anchor, finding: Finding | undefined): ListedChain => ({
  ...chain,
  problem: finding?.problem ?? null,
  found_at: finding?.found_at ?? null,
});

/** Reads a chain from its object. Returns undefined, and logs the reason, if the object can't be reached. */
async function readChain(
  env: Env,
  principal: string,
  row: AnchorRow | undefined,
): Promise<ListedChain | undefined> {
  try {
    const standing = await compareRow(env, principal, row);
    if (standing === undefined) return undefined;
    const { chain, problem, finding } = standing;
    // The row is sealed with another key, from an earlier release, or changed. The index keeps the fault, so write it anew.
    if (problem !== null || row?.isSealed === false)
      await new CallerClient(env.USER_WINDOWS, principal).anchor();
    return listedAs(chain, finding);
  } catch (error) {
    logSurprise(causeOf(error), { what: "audit list" });
    return undefined;
  }
}
