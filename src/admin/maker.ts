import type { Maker } from "../identity/administration.ts";
import { isRecoveryCode } from "../identity/recovery-code-rows.ts";
import { type Refusal, refuse } from "../refusal.ts";

/** The admin who makes a user or key. A recovery code vouches for it; a wrong code gives a refusal. */
export async function makerOf(
  db: D1Database,
  by: string,
  code: string | undefined,
): Promise<Maker & { refusal?: Refusal | undefined }> {
  if (code === undefined) return { by };
  if (await isRecoveryCode(db, code)) return { by, isVouched: true };
  return {
    by,
    refusal: refuse("invalid_arguments", "recovery_code: is not a valid recovery code of this server.")
      .refusal,
  };
}
