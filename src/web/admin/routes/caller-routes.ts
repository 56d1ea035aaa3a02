import { Hono } from "hono/tiny";
import type { AppTypes } from "../../../app-types.ts";
import { readForm, textOf } from "../../layout/form-guards.ts";
import { decidesWith } from "../../../identity/who-may.ts";
import { clip, plainLine } from "../../../text/plain-text.ts";
import { CallerClient } from "../../../caller/caller-client.ts";
import { countWrite } from "../../../admin/admin-writes.ts";
import { findCallers, pageOfCallers } from "../../../admin/caller-list.ts";
import { asAdmin } from "../page-guard.tsx";
import { callersPage } from "../callers-page.tsx";
import { callerPath } from "../elements.tsx";
import { deleteAccount, setAccountEnabled } from "../../../admin/accounts.ts";
import { refusalWords } from "../refusal-words.ts";
import { vouch, vouchesWith } from "../../../admin/vouch.ts";
import { showCaller, withCaller, withUser } from "./show-caller.ts";
import { deciderOf, principalOf } from "./decider.ts";
import { DONE_MESSAGES } from "./done-messages.ts";
import { PAGE_SIZE, afterOf } from "./list-position.ts";

export const callerRoutes = new Hono<AppTypes>();

callerRoutes.get(
  "/admin/callers",
  asAdmin(async (c, admin) => {
    const text = clip(plainLine(c.req.query("q") ?? ""), 100);
    const now = Date.now();
    const wanted = { after: afterOf(c), size: PAGE_SIZE, now };
    const page = await (text === "" ? pageOfCallers(c.env.DB, wanted) : findCallers(c.env.DB, text, wanted));
    return callersPage({ admin, page, cursor: c.req.query("after"), text, now });
  }),
);

callerRoutes.get(
  "/admin/callers/:id",
  asAdmin(
    withCaller((c, admin, caller) => showCaller(c, admin, caller, DONE_MESSAGES.get(c.req.query("done")))),
  ),
);
callerRoutes.post(
  "/admin/callers/:id/release",
  asAdmin(
    withCaller(async (c, admin, caller) => {
      const form = await readForm(c);
      const by = await decidesWith(c, admin, caller.id, textOf(form, "recovery_code"));
      if (by === undefined)
        return showCaller(
          c,
          admin,
          caller,
          "You can't release this caller, or the recovery code is wrong.",
          409,
        );
      const released = await new CallerClient(c.env.USER_WINDOWS, caller.id).release({
        rule: textOf(form, "rule") || null,
        ...deciderOf(admin, form, by),
      });
      return released.length > 0
        ? c.redirect(`${callerPath(caller.id)}?done=released`, 303)
        : showCaller(c, admin, caller, "No rule stops this caller now.", 409);
    }),
  ),
);
callerRoutes.post(
  "/admin/callers/:id/enable",
  asAdmin(
    withUser(async (c, admin, caller) => {
      const { note } = deciderOf(admin, await readForm(c));
      const refused = await setAccountEnabled(c, principalOf(admin), caller.id, { isEnabled: true, note });
      if (refused !== undefined) return showCaller(c, admin, caller, refusalWords(refused), 409);
      return c.redirect(`${callerPath(caller.id)}?done=enabled`, 303);
    }),
  ),
);
callerRoutes.post(
  "/admin/callers/:id/vouch",
  asAdmin(
    withUser(async (c, admin, caller) => {
      const form = await readForm(c);
      const by = await vouchesWith(c, admin, caller, textOf(form, "recovery_code"));
      if (by === undefined)
        return showCaller(
          c,
          admin,
          caller,
          "You can't vouch for this account, or the recovery code is wrong.",
          409,
        );
      const uncounted = await countWrite(c, principalOf(admin), { gives: "users.vouch" });
      if (uncounted !== undefined) return showCaller(c, admin, caller, refusalWords(uncounted), 409);
      await vouch(c.env, caller.id, deciderOf(admin, form, by));
      return c.redirect(`${callerPath(caller.id)}?done=vouched`, 303);
    }),
  ),
);
callerRoutes.post(
  "/admin/callers/:id/disable",
  asAdmin(
    withUser(async (c, admin, caller) => {
      const { note } = deciderOf(admin, await readForm(c));
      const refused = await setAccountEnabled(c, principalOf(admin), caller.id, { isEnabled: false, note });
      if (refused !== undefined) return showCaller(c, admin, caller, refusalWords(refused), 409);
      return c.redirect(`${callerPath(caller.id)}?done=disabled`, 303);
    }),
  ),
);
callerRoutes.post(
  "/admin/callers/:id/delete",
  asAdmin(
    withUser(async (c, admin, caller) => {
      const isMeant = textOf(await readForm(c), "id") === caller.id;
      if (!isMeant) return showCaller(c, admin, caller, "Not deleted: the id does not match.", 409);
      const refused = await deleteAccount(c, principalOf(admin), caller.id);
      if (refused !== undefined) return showCaller(c, admin, caller, refusalWords(refused), 409);
      return c.redirect(`${callerPath(caller.id)}?done=deleted`, 303);
    }),
  ),
);
