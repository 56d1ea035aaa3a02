import { waitUntil } from "cloudflare:workers";
import { causeOf } from "../../unreachable.ts";
import { type Claim, makeFirstAdmin } from "../../identity/first-admin.ts";
import { logSurprise } from "../../telemetry/log.ts";
import { reachSetup } from "../../setup/setup-client.ts";

/** Makes the first admin. Call it only for a person who entered the setup code. */
export async function claimServer(env: Env, userId: string, now: number): Promise<Claim> {
  const claim = await makeFirstAdmin(env.DB, userId, now);
  if (!claim.ok) return claim;
  // The database already refuses a second claim. The object refuses it even if the database is restored to before.
  waitUntil(
    reachSetup(env, async (setup) => setup.close(now)).catch((error: unknown) =>
      logSurprise(causeOf(error), { what: "close setup" }),
    ),
  );
  return claim;
}
