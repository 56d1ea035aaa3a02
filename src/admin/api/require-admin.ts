import { createMiddleware } from "hono/factory";
import type { AppTypes } from "../../app-types.ts";
import { ensureMigrated } from "../../database/migrate.ts";
import { refuseSignature } from "../../http/signed-request.ts";
import { findKey } from "../../identity/access-keys.ts";
import { noteUse, toPrincipal } from "../../identity/oauth.ts";
import { scopesOf } from "../../identity/scopes.ts";
import { isWholeKey } from "../../identity/secrets.ts";
import { refuse } from "../../refusal.ts";
import { answer } from "./api-request.ts";

/** Requires an access key with the role admin. It must be in a header: a cookie could be sent by another site's page. */
export const requireAdmin = createMiddleware<AppTypes>(async (c, next) => {
  await ensureMigrated(c.env.DB);
  const [, key = ""] = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
  const now = Date.now();
  const found = isWholeKey(key) ? await findKey(c.env.DB, key, now) : undefined;
  if (found?.ok !== true)
    return answer(c, refuse("unauthenticated", "A valid access key is missing.").refusal);
  noteUse(c.env, found, now);
  const { user, signature } = found;
  const refused = await refuseSignature(c, { userId: user.userId, signature });
  if (refused !== undefined) return answer(c, refused);
  const scopes = scopesOf(user.roles);
  if (!scopes.includes("admin")) {
    return answer(
      c,
      refuse("permission_denied", "This needs the role admin.", { hints: { scopes: ["admin"] } }).refusal,
    );
  }
  c.set("admin", toPrincipal(user, "key", scopes));
  return next();
});
