import { env } from "cloudflare:workers";
import * as z from "zod";
import { type Anchor, anchorSchema } from "../../../src/caller/audit/chain.ts";
import { bearer, send } from "../identity/support/deployed.ts";
import { keyOf } from "../identity/support/people.ts";

/** Returns a principal's chain and its anchor, as an admin gets them. */
export async function exported(principal: string): Promise<{ lines: string[]; anchor: Anchor }> {
  const headers = bearer(await keyOf(["admin"]));
  const response = await send(`/admin/api/audit/${principal}`, { headers });
  const text = new TextDecoder().decode(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  const list = await send("/admin/api/audit", { headers });
  const { anchors } = z.object({ anchors: z.array(anchorSchema) }).parse(await list.json());
  const anchor = anchors.find((each) => each.principal === principal);
  if (anchor === undefined) throw new Error(`No anchor of ${principal}.`);
  return { lines: text.trimEnd().split("\n"), anchor };
}

/** Returns a principal's row in D1, closed or not. */
export const anchorRow = (principal: string) =>
  env.DB.prepare("SELECT * FROM audit_anchors WHERE principal = ?").bind(principal).first();
