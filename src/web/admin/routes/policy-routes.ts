import { Hono } from "hono/tiny";
import type { AppTypes } from "../../../app-types.ts";
import { asAdmin } from "../page-guard.tsx";
import { policyPage } from "../policy-page.tsx";
import { readRuleHits } from "../../../admin/rule-hits.ts";

export const policyRoutes = new Hono<AppTypes>();

policyRoutes.get(
  "/admin/policy",
  asAdmin(async (c, admin) =>
    policyPage({ admin, policy: c.var.policy, report: await readRuleHits(c.env, Date.now()) }),
  ),
);
