import { type Page, type Position, pageOf } from "../database/page.ts";
import { secretKeyIn } from "../env.ts";
import { logSurprise } from "../telemetry/log.ts";
import { type AnchorRow, anchorsOf, findAnchorRow, pageOfAnchors } from "../caller/audit/anchors.ts";
import { type Finding, auditIndex } from "../caller/audit/audit-index.ts";
import { CallerClient, causeOf } from "../caller/caller-client.ts";
import type { Anchor } from "../caller/audit/chain.ts";
import { type RowProblem, problemOf } from "../caller/audit/row-problem.ts";

/**
 * A chain as lists show it. `problem` is what is or was wrong with D1's row of it, found at `found_at` (milliseconds since
 * the epoch); both are null where the row is as the caller's object wrote it, and always was.
 */
export type ListedChain = Anchor & { problem: RowProblem | null; found_at: number | null };

/** Objects that one page of a list asks about rows without a good seal; those of earlier releases have none. */
const ASKED_MAX = 50;

/** Ranges of names in which chains are listed: callers without a name, who are many, come last. */
const RANGES = [
  ["", "anon-"],
  ["anon-\u{10FFFF}", "\u{10FFFF}"],
  ["anon-", "anon-\u{10FFFF}"],
] as const;

/**
 * A page of the chains that are not over, by name. What the index of chains has and D1 has not, or not so, is asked of the
 * caller's object and listed all the same, with what is wrong.
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
  const key = secretKeyIn(env);
  const [rows, indexed] = await Promise.all([
    pageOfAnchors(env.DB, { after, end, limit }, key),
    auditIndex(env).page(after, end, limit),
  ]);
  const rowOf = new Map(rows.map((row) => [row.anchor.principal, row]));
  const missed = indexed
    .filter(({ principal, started_at }) => rowOf.get(principal)?.anchor.started_at !== started_at)
    .map(({ principal }) => principal);
  const unsealed = rows.filter(({ isSealed }) => !isSealed).map(({ anchor }) => anchor.principal);
  // Closed ones too.
  for (const row of await anchorsOf(env.DB, missed, key)) rowOf.set(row.anchor.principal, row);
  const doubted = new Set([...missed, ...unsealed.slice(0, ASKED_MAX)]);
  const asked = await Promise.all([...doubted].map((name) => ask(env, name, rowOf.get(name))));

  const findings = new Map(indexed.map((chain) => [chain.principal, chain]));
  const listed = new Map<string, ListedChain>();
  for (const { anchor } of rows) {
    listed.set(anchor.principal, listedAs(anchor, findings.get(anchor.principal)?.finding));
  }
  for (const chain of asked) if (chain !== undefined) listed.set(chain.principal, chain);
  return [...listed.values()].toSorted((a, b) => (a.principal < b.principal ? -1 : 1)).slice(0, limit);
}

const listedAs = (chain: Anchor, finding: Finding | undefined): ListedChain => ({
  ...chain,
  problem: finding?.problem ?? null,
  found_at: finding?.found_at ?? null,
});

/** A chain as its object has it, if that can be reached; logs why where it can't. */
async function ask(
  env: Env,
  principal: string,
  row: AnchorRow | undefined,
): Promise<ListedChain | undefined> {
  try {
    const standing = await compare(env, principal, row);
    if (standing === undefined) return undefined;
    const { chain, problem, finding } = standing;
    // Sealed with another key, written by an earlier release, or changed: what was wrong is kept by now.
    if (problem !== null || row?.isSealed === false)
      await new CallerClient(env.USER_WINDOWS, principal).anchor();
    return listedAs(chain, finding);
  } catch (error) {
    logSurprise(causeOf(error), { what: "audit list" });
    return undefined;
  }
}

interface Compared {
  /** As its object has it. */
  chain: Anchor;
  /** What is wrong with D1's row now. */
  problem: RowProblem | null;
  /** What is wrong with it, or once was. */
  finding: Finding | undefined;
}

/**
 * Compares D1's row of a chain with the caller's object, and keeps in the index what is wrong. `row` has to be read before;
 * undefined if the object has no chain, or has none yet that D1 knows.
 */
async function compare(
  env: Env,
  principal: string,
  row: AnchorRow | undefined,
): Promise<Compared | undefined> {
  const object = new CallerClient(env.USER_WINDOWS, principal);
  const index = auditIndex(env);
  const [indexed, chain] = await Promise.all([index.find(principal), object.chain()]);
  if (chain === undefined) return undefined;
  const isIndexed = indexed?.started_at === chain.started_at;
  if (!isIndexed && row?.anchor.started_at !== chain.started_at) return undefined;
  const standing = { startedAt: chain.started_at, seq: chain.seq, isIndexed };
  const problem = problemOf(row, standing) ?? ((await isOtherLink(object, row)) ? "replaced" : null);
  const finding =
    problem === null ? indexed?.finding : await index.found(principal, chain.started_at, problem, Date.now());
  return { chain, problem, finding };
}

/** Whether a row without a good seal names a link that its chain does not have at that record. */
async function isOtherLink(object: CallerClient, row: AnchorRow | undefined): Promise<boolean> {
  if (row === undefined || row.isSealed) return false;
  const { seq, hash } = row.anchor;
  const [line] = await object.exportPage(seq - 1, seq, 1);
  return line !== undefined && !line.line.endsWith(`"hash":"${hash}"}`);
}

/**
 * Whether there may be a chain of that name: a user's, one that D1 has a row of, closed or not, or one that the index has.
 * An object of any other name would come to be by being asked.
 */
export async function mayHaveChain(env: Env, principal: string): Promise<boolean> {
  const user = await env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(principal).first();
  if (user !== null || (await findAnchorRow(env.DB, principal, secretKeyIn(env))) !== undefined) return true;
  return (await auditIndex(env).find(principal)) !== undefined;
}

/**
 * What is wrong with D1's row of a chain, as it stands before the chain is read, and what once was; of a chain that nobody
 * has, neither.
 */
export async function checkRow(env: Env, principal: string): Promise<Pick<Compared, "problem" | "finding">> {
  const row = await findAnchorRow(env.DB, principal, secretKeyIn(env));
  return (await compare(env, principal, row)) ?? { problem: null, finding: undefined };
}
