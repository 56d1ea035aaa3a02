import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { keptTokenOf } from "../../detection/tokens.ts";
import { refuse } from "../../refusal.ts";
import { eraseReadings, pageOfReadings } from "../../caller/audit/readings.ts";
import { countWrite } from "../admin-writes.ts";
import { exportAudit } from "../export-audit.ts";
import { mayHaveChain } from "../anchor-row.ts";
import { pageOfChains } from "../chain-list.ts";
import { type ApiContext, adminOf, answer } from "./api-request.ts";
import { list } from "./list-page.ts";

/** /admin/api/audit: the list of chains, and one chain as a file. */
export const auditApi = new Hono<AppTypes>();

auditApi.get("/", (c) => list(c, "anchors", (page) => pageOfChains(c.env, page)));

/** The token by which audits name a customer. */
const tokenIn = (c: ApiContext) => keptTokenOf("subject", c.req.param("id") ?? "", c.var.secretKey);

auditApi.get("/customers/:id", (c) => c.json({ token: tokenIn(c) }));
auditApi.get("/customers/:id/readings", (c) =>
  list(c, "readings", (page) => pageOfReadings(c.env.DB, tokenIn(c), page)),
);
auditApi.delete("/customers/:id/readings", async (c) => {
  const admin = adminOf(c);
  const refused = await countWrite(c, admin, { gives: "audit.erase" });
  if (refused !== undefined) return answer(c, refused);
  const now = Date.now();
  return c.json({
    erased: await eraseReadings(c.env.DB, tokenIn(c), admin.id, now),
    audit_days: c.var.policy.retention.audit_days,
  });
});

auditApi.get("/:principal", async (c) => {
  const principal = c.req.param("principal");
  const exported = (await mayHaveChain(c.env, principal)) ? await exportAudit(c.env, principal) : undefined;
  return exported ?? answer(c, refuse("not_found", "There is no audit of that principal.").refusal);
});
