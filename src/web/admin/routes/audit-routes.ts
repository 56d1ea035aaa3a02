import { Hono } from "hono/tiny";
import type { AppTypes } from "../../../app-types.ts";
import { checkAudit } from "../../../admin/check-audit.ts";
import { exportAudit } from "../../../admin/export-audit.ts";
import { mayHaveChain } from "../../../admin/anchor-row.ts";
import { pageOfChains } from "../../../admin/chain-list.ts";
import { asAdmin } from "../page-guard.tsx";
import { auditPage, verifiedPage } from "../audit-page.tsx";
import { notFoundPage } from "../admin-page.tsx";
import { PAGE_SIZE, afterOf } from "./list-position.ts";

export const auditRoutes = new Hono<AppTypes>();

auditRoutes.get(
  "/admin/audit",
  asAdmin(async (c, admin) => {
    const page = await pageOfChains(c.env, { after: afterOf(c), size: PAGE_SIZE });
    return auditPage({ admin, page, cursor: c.req.query("after"), now: Date.now() });
  }),
);
auditRoutes.get(
  "/admin/audit/:principal",
  asAdmin(async (c, admin) => {
    const principal = c.req.param("principal") ?? "";
    const { secretKey } = c.var;
    const checked = (await mayHaveChain(c.env, principal))
      ? await checkAudit(c.env, principal, c.req.query("next"), secretKey)
      : undefined;
    if (checked === undefined) return notFoundPage(admin, "/admin/audit");
    return verifiedPage({ admin, ...checked, now: Date.now() });
  }),
);
auditRoutes.get(
  "/admin/audit/:principal/download",
  asAdmin(async (c, admin) => {
    const principal = c.req.param("principal") ?? "";
    const exported = (await mayHaveChain(c.env, principal)) ? await exportAudit(c.env, principal) : undefined;
    if (exported === undefined) return notFoundPage(admin, "/admin/audit");
    const name = `audit-${principal.replaceAll(/[^A-Za-z0-9._-]/g, "_")}.jsonl`;
    exported.headers.set("Content-Disposition", `attachment; filename="${name}"`);
    return exported;
  }),
);
