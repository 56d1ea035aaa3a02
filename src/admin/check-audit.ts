import { createHmac } from "node:crypto";
import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import { sameSecret } from "../text/same-secret.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { findAnchorRow } from "../caller/audit/anchors.ts";
import type { Finding } from "../caller/audit/audit-index.ts";
import { type Anchor, anchorSchema, headSchema } from "../caller/audit/chain.ts";
import { checkRow } from "./anchor-row.ts";
import { exportLines } from "./export-lines.ts";
import { type Verified, verifyPart } from "./verify-part.ts";

/** Records that one request checks. A long chain takes many requests, each as quick as any other page. */
const CHECKED_MAX = 2_000;

/** The progress of a check. */
const progressSchema = z.object({
  /** The anchor that the check wrote when it began. */
  now: anchorSchema,
  /** The anchor that D1 had before; null if it had none that can be trusted. */
  before: anchorSchema.nullable(),
  /** The last record that was checked. */
  at: headSchema,
  /** Whether the records so far contain the anchor `before`. */
  isMet: z.boolean(),
});
type Progress = z.output<typeof progressSchema>;

export interface Checked {
  /** Undefined until the check is complete. */
  verified: Verified | undefined;
  /** Records checked so far. */
  done: number;
  /** Records in the chain. */
  all: number;
  /** Continues the check; undefined once it is complete. */
  next: string | undefined;
  /** The anchor that the check wrote when it began. */
  anchor: Anchor;
  /** A present or past fault of D1's row. */
  finding: Finding | undefined;
}

/**
 * Checks part of a principal's chain as it would be exported, from its beginning or from `next` of the previous part. Returns
 * undefined if there is no chain. `key` signs `next`, so that nobody can forge a successful check.
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
  const earlier = next === undefined ? undefined : openProgress(next, principal, key);
  // Start over if the chain was replaced, or was pruned past the next record to check.
  const canContinue = earlier?.now.started_at === chain.started_at && chain.checkpoint_seq <= earlier.at.seq;
  const { finding, progress } =
    earlier !== undefined && canContinue
      ? { finding: (await checkRow(env, principal)).finding, progress: earlier }
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

/** Returns undefined if this server did not seal the text for that principal. */
function openProgress(sealed: string, principal: string, key: string): Progress | undefined {
  const [text = "", mac = ""] = sealed.split(".");
  if (!sameSecret(mac, macOf(text, principal, key))) return undefined;
  return jsonText.pipe(progressSchema).parse(Buffer.from(text, "base64url").toString());
}
