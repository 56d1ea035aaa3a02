import { createHmac } from "node:crypto";
import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import { sameSecret } from "../identity/secrets.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { findAnchorRow } from "../caller/audit/anchors.ts";
import type { Finding } from "../caller/audit/audit-index.ts";
import { type Anchor, anchorSchema, headSchema } from "../caller/audit/chain.ts";
import { checkRow } from "./chains.ts";
import { exportLines } from "./export-lines.ts";
import { type Verified, verifyPart } from "./verify.ts";

/** Records that one request checks: a long chain is checked in many, each as quick as any other page. */
const CHECKED_MAX = 2_000;

/** How far a check has come. */
const progressSchema = z.object({
  /** As the check wrote it when it began. */
  now: anchorSchema,
  /** As it stood in D1 before; null where none did, or none that can be trusted. */
  before: anchorSchema.nullable(),
  /** The last record that was checked. */
  at: headSchema,
  /** Whether the chain so far holds the anchor that stood before. */
  isMet: z.boolean(),
});
type Progress = z.output<typeof progressSchema>;

export interface Checked {
  /** Undefined while there is more to check. */
  verified: Verified | undefined;
  /** Records that are checked so far, of all. */
  done: number;
  all: number;
  /** Goes on with the check; undefined where it has ended. */
  next: string | undefined;
  /** As the check wrote it. */
  anchor: Anchor;
  /** What is wrong with D1's row, or once was. */
  finding: Finding | undefined;
}

/**
 * Checks part of a principal's chain as it would be exported: from its beginning, or where the check before has ended, by
 * its `next`. Undefined where there is no chain. `key` signs `next`, so that nobody can make up a check that went well.
 */
export async function checkAudit(
  env: Env,
  principal: string,
  next: string | undefined,
  key: string,
): Promise<Checked | undefined> {
  const object = new CallerClient(env.USER_WINDOWS, principal);
  const chain = await object.chain();
  if (chain === undefined) return undefined;
  const going = next === undefined ? undefined : openProgress(next, principal, key);
  // A chain that began anew, or was pruned past what is to be checked next, is checked from its beginning.
  const isGoing = going?.now.started_at === chain.started_at && chain.checkpoint_seq <= going.at.seq;
  const { finding, progress } =
    going !== undefined && isGoing
      ? { finding: (await checkRow(env, principal)).finding, progress: going }
      : await begin(env, object, principal, key);
  if (progress === undefined) return undefined;

  const { now, at } = progress;
  const upTo = Math.min(now.seq, at.seq + CHECKED_MAX);
  const lines = exportLines(object, { principal, started_at: now.started_at, from: at, upTo });
  const part = await verifyPart(lines, progress, upTo);
  const all = now.seq - now.checkpoint_seq;
  const checked = { all, anchor: now, finding };
  if ("verified" in part) return { ...checked, verified: part.verified, done: all, next: undefined };
  const done = part.at.seq - now.checkpoint_seq;
  return {
    ...checked,
    verified: undefined,
    done,
    next: sealProgress({ ...progress, ...part }, principal, key),
  };
}

async function begin(
  env: Env,
  object: CallerClient,
  principal: string,
  key: string,
): Promise<{ finding: Finding | undefined; progress: Progress | undefined }> {
  const { problem, finding } = await checkRow(env, principal);
  const row = await findAnchorRow(env.DB, principal, key);
  const now = await object.anchor();
  if (now === undefined) return { finding, progress: undefined };
  const before = row === undefined || row.isClosed || problem !== null ? null : row.anchor;
  const at = { seq: now.checkpoint_seq, hash: now.checkpoint_hash };
  const isMet = before?.seq === at.seq && before.hash === at.hash;
  return { finding, progress: { now, before, at, isMet } };
}

const macOf = (text: string, principal: string, key: string): string =>
  createHmac("sha256", key).update(`audit check ${principal}\n${text}`).digest("base64url");

function sealProgress(progress: Progress, principal: string, key: string): string {
  const text = Buffer.from(JSON.stringify(progressSchema.parse(progress))).toString("base64url");
  return `${text}.${macOf(text, principal, key)}`;
}

/** Undefined for what this server has not sealed for that principal. */
function openProgress(sealed: string, principal: string, key: string): Progress | undefined {
  const [text = "", mac = ""] = sealed.split(".");
  if (!sameSecret(mac, macOf(text, principal, key))) return undefined;
  return jsonText.pipe(progressSchema).parse(Buffer.from(text, "base64url").toString());
}
