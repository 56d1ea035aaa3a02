import * as z from "zod";
import { hashCode, recoveryLettersOf } from "./recovery-code.ts";
import { sameSecret } from "../text/same-secret.ts";

const hashRow = z.object({ hash: z.string() });

/** Returns whether a text is this server's recovery code. */
export async function isRecoveryCode(db: D1Database, text: string): Promise<boolean> {
  const letters = recoveryLettersOf(text);
  if (letters === undefined) return false;
  const row = await db.prepare("SELECT hash FROM recovery_code").first();
  return row !== null && sameSecret(hashCode(letters), hashRow.parse(row).hash);
}

export async function hasRecoveryCode(db: D1Database): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM recovery_code").first()) !== null;
}
