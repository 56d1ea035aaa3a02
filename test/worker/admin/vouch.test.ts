import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import * as z from "zod";
import { linksAbove } from "../../../src/identity/lineage-rows.ts";
import { api } from "../identity/support/admin-api.ts";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { keyOf, newKey, newUser } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";

// A second administrator lets a new account stand apart from the budget of who made it.

const keySchema = z.object({ key: z.string() });

async function hired(maker: string, roles: string[]) {
  const id = `hired-${crypto.randomUUID()}`;
  await api(maker, "POST", "/users", { id, name: "Hired", roles });
  const { key } = keySchema.parse(await (await api(maker, "POST", "/keys", { user: id, label: "x" })).json());
  return { id, browser: roles.includes("admin") ? await signedIn(key) : undefined };
}

const linksOf = (id: string) => linksAbove(env.DB, [id], "shared", Date.now());
const vouchBy = async (browser: Browser, id: string) =>
  (await browser.post(`/admin/callers/${id}/vouch`, { note: "from the agency" })).status;
const pageOf = async (browser: Browser, id: string) => (await browser.request(`/admin/callers/${id}`)).text();

it("an account has its own budget after another administrator vouched for it", async () => {
  const maker = (await newKey(await newUser(["admin"]))).secret;
  const { id } = await hired(maker, ["support"]);
  const other = await signedIn(await keyOf(["admin"]));
  expect(await linksOf(id)).not.toEqual([]);
  expect(await pageOf(other, id)).toContain("Vouch for this account");
  expect(await vouchBy(other, id)).toBe(303);
  expect(await linksOf(id)).toEqual([]);
  expect(await pageOf(other, id)).not.toContain("Vouch for this account");
  const decisions = (await recordsOf(env.USER_WINDOWS.getByName(id))).filter(
    ({ kind }) => kind === "decision",
  );
  expect(decisions).toMatchObject([{ decision: "vouched", note: "from the agency" }]);
  expect(await vouchBy(other, id)).toBe(409);
});

it("refuses vouching by the creator, by accounts of the creator, and for oneself", async () => {
  const maker = (await newKey(await newUser(["admin"]))).secret;
  const { id } = await hired(maker, ["support"]);
  const puppet = await hired(maker, ["admin"]);
  const browsers = [await signedIn(maker), puppet.browser].filter((each) => each !== undefined);
  expect(browsers).toHaveLength(2);
  for (const browser of browsers) {
    expect(await vouchBy(browser, id)).toBe(409);
    expect(await vouchBy(browser, puppet.id)).toBe(409);
  }
  expect(await linksOf(id)).not.toEqual([]);
});
