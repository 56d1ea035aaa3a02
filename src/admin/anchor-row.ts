import type { Anchor } from "../caller/audit/chain.ts";
import { type AnchorRow, findAnchorRow } from "../caller/audit/anchors.ts";
import { type Finding, auditIndex } from "../caller/audit/audit-index.ts";
import { type RowProblem, problemOf } from "../caller/audit/row-problem.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { secretKeyOf } from "../setup/secret-key.ts";

// Compares D1's row of a chain's anchor with the chain in the caller's object.

interface Compared {
  /** From the caller's object. */
  chain: Anchor;
  /** The present fault of D1's row. */
  problem: RowProblem | null;
  /** A present or past fault, from the audit index. */
  finding: Finding | undefined;
}

/**
 * Compares D1's row of a chain with the caller's object, and stores a fault in the audit index. Read `row` before the call.
 * Returns undefined if the object has no chain, or only one that neither D1 nor the index knows yet.
 */
export async function compareRow(
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
  const faultOf = async (read: AnchorRow | undefined) =>
    problemOf(read, standing) ?? ((await isOtherLink(object, read)) ? "replaced" : null);
  const first = await faultOf(row);
  // The first row of a chain may have been written since `row` was read, so read it again: a finding is never taken back.
  const isFinal = first === null || first === "ahead";
  const problem = isFinal
    ? first
    : await faultOf(await findAnchorRow(env.DB, principal, await secretKeyOf(env)));
  const finding =
    problem === null ? indexed?.finding : await index.found(principal, chain.started_at, problem, Date.now());
  return { chain, problem, finding };
}

/** Whether a row without a valid seal has another hash than the chain at that record. */
async function isOtherLink(object: CallerClient, row: AnchorRow | undefined): Promise<boolean> {
  if (row === undefined || row.isSealed) return false;
  const { seq, hash } = row.anchor;
  const [line] = await object.exportPage(seq - 1, seq, 1);
  return line !== undefined && !line.line.endsWith(`"hash":"${hash}"}`);
}

/**
 * Whether a chain of that name may exist: a user has the name, or D1 or the index has a chain of it, closed or not. Check this
 * before calling the object: any name would create an object.
 */
export async function mayHaveChain(env: Env, principal: string): Promise<boolean> {
  const user = await env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(principal).first();
  if (user !== null || (await findAnchorRow(env.DB, principal, await secretKeyOf(env))) !== undefined)
    return true;
  return (await auditIndex(env).find(principal)) !== undefined;
}

/** The present and past faults of D1's row of a chain; none if there is no chain. Call it before the chain is read. */
export async function checkRow(env: Env, principal: string): Promise<Pick<Compared, "problem" | "finding">> {
  const row = await findAnchorRow(env.DB, principal, await secretKeyOf(env));
  return (await compareRow(env, principal, row)) ?? { problem: null, finding: undefined };
}
