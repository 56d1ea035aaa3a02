import { type Page, type Position, pageOf } from "../database/page.ts";
import { logSurprise } from "../telemetry/log.ts";
import { anchorsOf, findAnchorRow, pageOfAnchors } from "../windows/anchors.ts";
import { auditIndex } from "../windows/audit-index.ts";
import { CallerObject, causeOf } from "../windows/caller-object.ts";
import type { Anchor } from "../windows/chain.ts";

/** How D1's row of a chain was changed from outside: it is gone, says that the chain is over, or is of another chain. */
export type RowProblem = "deleted" | "closed" | "replaced" | "ahead";

/** A chain as lists show it; `problem` is null where D1's row is as the caller's object wrote it. */
export type ListedChain = Anchor & { problem: RowProblem | null };

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
  const [anchors, indexed] = await Promise.all([
    pageOfAnchors(env.DB, after, end, limit),
    auditIndex(env).page(after, end, limit),
  ]);
  const known = new Map(anchors.map((anchor) => [anchor.principal, anchor]));
  const missed = indexed.filter(
    ({ principal, started_at }) => known.get(principal)?.started_at !== started_at,
  );
  const names = missed.map(({ principal }) => principal);
  const inD1 = new Map((await anchorsOf(env.DB, names)).map((row) => [row.anchor.principal, row]));
  const found = await Promise.all(
    missed.map(async ({ principal, started_at }): Promise<ListedChain | undefined> => {
      const row = inD1.get(principal);
      const chain = await standing(env, principal, started_at);
      if (chain === undefined) return undefined;
      return { ...chain, problem: row === undefined ? "deleted" : row.isClosed ? "closed" : "replaced" };
    }),
  );
  for (const chain of found) if (chain !== undefined) known.delete(chain.principal);
  return [...[...known.values()].map((anchor) => ({ ...anchor, problem: null })), ...found]
    .filter((chain) => chain !== undefined)
    .toSorted((a, b) => (a.principal < b.principal ? -1 : 1))
    .slice(0, limit);
}

/** A chain as its object has it; undefined where the object has none any more, or was not anchored yet. */
async function standing(env: Env, principal: string, startedAt: number): Promise<Anchor | undefined> {
  try {
    const chain = await new CallerObject(env.USER_WINDOWS, principal).chain();
    return chain !== undefined && chain.started_at === startedAt ? chain : undefined;
  } catch (error) {
    logSurprise(causeOf(error), { what: "audit list" });
    return undefined;
  }
}

/**
 * Whether there may be a chain of that name: a user's, one that D1 has a row of, closed or not, or one that the index has.
 * An object of any other name would come to be by being asked.
 */
export async function mayHaveChain(env: Env, principal: string): Promise<boolean> {
  const user = await env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(principal).first();
  if (user !== null || (await findAnchorRow(env.DB, principal)) !== undefined) return true;
  return (await auditIndex(env).find(principal)) !== undefined;
}

/** What is wrong with D1's row of a chain, as it stood before the chain was read; null where nothing is. */
export async function rowProblem(env: Env, principal: string): Promise<RowProblem | null> {
  const [indexed, row, chain] = await Promise.all([
    auditIndex(env).find(principal),
    findAnchorRow(env.DB, principal),
    new CallerObject(env.USER_WINDOWS, principal).chain(),
  ]);
  if (chain === undefined) return null;
  if (row !== undefined && row.anchor.started_at === chain.started_at && row.anchor.seq > chain.seq)
    return "ahead";
  // A chain that begins is in the index after its first row is in D1.
  if (indexed?.started_at !== chain.started_at) return null;
  if (row === undefined) return "deleted";
  if (row.isClosed) return "closed";
  return row.anchor.started_at === chain.started_at ? null : "replaced";
}
