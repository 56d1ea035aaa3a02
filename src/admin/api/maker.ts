import type { Maker } from "../../identity/administration.ts";
import { isRecoveryCode } from "../../identity/recovery-code-rows.ts";
import { type Refusal, refuse } from "../../refusal.ts";
import { type ApiContext, adminOf } from "./answer.ts";

/** The maker of something, and whether they vouch for it; a refusal if the recovery code is wrong. */
export async function makerOf(
  c: ApiContext,
  code: string | undefined,
): Promise<Maker & { refusal?: Refusal | undefined }> {
  const by = adminOf(c).id;
  if (code === undefined) return { by };
  if (await isRecoveryCode(c.env.DB, code)) return { by, isVouched: true };
  return {
    by,
    refusal: refuse("invalid_arguments", "recovery_code: is not the code of this server.").refusal,
  };
}
