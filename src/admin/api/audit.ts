import { Hono } from "hono";
import type { AppTypes } from "../../app-types.ts";
import { refuse } from "../../refusal.ts";
import { exportAudit } from "../export-audit.ts";
import { mayHaveChain, pageOfChains } from "../chains.ts";
import { answer } from "./answer.ts";
import { list } from "./list.ts";

/** /admin/api/audit: who has a chain, and one chain as a file. */
export const auditApi = new Hono<AppTypes>();

auditApi.get("/", (c) => list(c, "anchors", (page) => pageOfChains(c.env, page)));

auditApi.get("/:principal", async (c) => {
  const principal = c.req.param("principal");
  const exported = (await mayHaveChain(c.env, principal)) ? await exportAudit(c.env, principal) : undefined;
  return exported ?? answer(c, refuse("not_found", "There is no audit of that principal.").refusal);
});
