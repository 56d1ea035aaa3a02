import { Hono } from "hono/tiny";
import { countWrite } from "../../../admin/admin-writes.ts";
import type { AppContext, AppTypes } from "../../../app-types.ts";
import { changeIdSchema, draftOf } from "../../../changes/change.ts";
import { pageOf } from "../../../database/page.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { createInventory } from "../../../inventory/repository.ts";
import { readForm } from "../../layout/form-guards.ts";
import { notFoundPage } from "../admin-page.tsx";
import { asAdmin } from "../page-guard.tsx";
import { refusalWords } from "../refusal-words.ts";
import { stockPage } from "../stock-page.tsx";
import { deciderOf, principalOf } from "./decider.ts";
import { DONE_MESSAGES } from "./done-messages.ts";
import { afterOf } from "./list-position.ts";

/** Changes on a page. */
const SIZE = 50;

export const stockRoutes = new Hono<AppTypes>();

stockRoutes.get(
  "/admin/stock",
  asAdmin((c, admin) => showStock(c, admin, DONE_MESSAGES.get(c.req.query("done")))),
);

/** The admin's own undo. No rule looks at its size, because a person decides here; it is recorded and counted as an admin's. */
stockRoutes.post(
  "/admin/stock/:id/undo",
  asAdmin(async (c, admin) => {
    const id = changeIdSchema.safeParse(c.req.param("id"));
    if (!id.success) return notFoundPage(admin, "/admin/stock");
    const { by, note } = deciderOf(admin, await readForm(c));
    const inventory = createInventory(c.env.DB, by);
    const args = {
      change_id: id.data,
      reason: note === null || note === "" ? "Undone on the dashboard" : note,
    };
    const undoing = draftOf("undo_change", args, { principal: by, now: Date.now() });
    const draft = {
      ...undoing,
      // A form that is sent twice undoes once; with another note it is told that the change was undone.
      idempotencyKey: `dashboard-${undoing.digest}`,
      undoes: id.data,
    };
    const planned = await inventory.planUndo(draft);
    if (!planned.ok && planned.refusal.code === "not_found") return notFoundPage(admin, "/admin/stock");
    if (!planned.ok) return showStock(c, admin, planned.refusal.message, 409);
    if (planned.value.stored === undefined) {
      const uncounted = await countWrite(
        c,
        principalOf(admin),
        { gives: "stock.undo" },
        { change_id: id.data },
      );
      if (uncounted !== undefined) return showStock(c, admin, refusalWords(uncounted), 409);
    }
    const undone = await inventory.undo(draft, planned.value);
    if (!undone.ok) return showStock(c, admin, undone.refusal.message, 409);
    return c.redirect("/admin/stock?done=undone", 303);
  }),
);

async function showStock(c: AppContext, admin: SignedIn, message: string | undefined, status?: 409) {
  const [after] = afterOf(c) ?? [];
  const { items } = await createInventory(c.env.DB, admin.user.userId).changes({
    limit: SIZE + 1,
    before: typeof after === "number" ? after : Number.MAX_SAFE_INTEGER,
  });
  return stockPage({
    admin,
    page: pageOf(items, SIZE, ({ seq, change_id }) => [seq, change_id]),
    cursor: c.req.query("after"),
    now: Date.now(),
    message,
    ...(status !== undefined && { status }),
  });
}
