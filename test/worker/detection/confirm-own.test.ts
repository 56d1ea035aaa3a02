import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import * as z from "zod";
import { userIdOf } from "../../../src/identity/sign-on/person.ts";
import { Browser } from "../identity/support/browser.ts";
import { ORIGIN } from "../identity/support/deployed.ts";
import { Issuer, signOn } from "../identity/support/issuer.ts";
import { newKey } from "../identity/support/people.ts";
import { ADA, ask, deskSample, fillDesk } from "../support/desk.ts";

beforeAll(() => fillDesk());
afterEach(() => vi.restoreAllMocks());

const linkSchema = z.object({ hints: z.object({ confirm_at: z.tuple([z.url()]) }) });

it("a person who signed in at the provider may decide about their own work, and sees no rule", async () => {
  const issuer = new Issuer();
  issuer.listen();
  const browser = new Browser(ORIGIN, issuer.settings);
  await signOn(browser, issuer, { sub: "ada", name: "Ada", groups: ["catalog-support"] });
  const user = userIdOf({ issuer: issuer.url, subject: "ada" });
  // The key that their assistant calls with.
  const as = { authorization: `Bearer ${(await newKey(user)).secret}` };

  let link: string | undefined;
  for (const { id } of deskSample.customers) {
    const { refusal } = await ask(as, "get_customer", { customer_id: `C-${id}` });
    if (refusal !== undefined) [link] = linkSchema.parse(refusal).hints.confirm_at;
  }
  const { pathname } = new URL(link ?? "");

  const page = await (await browser.request(pathname)).text();
  expect(page).toContain("Is this your work?");
  expect(page).not.toMatch(/Rule|Seen|people|are allowed/);
  expect((await browser.post(pathname, { decision: "allow" })).status).toBe(200);
  expect((await ask(as, "get_customer", { customer_id: ADA })).value).toBeDefined();
  const { results } = await env.DB.prepare("SELECT status, decided_by FROM incidents WHERE principal = ?")
    .bind(user)
    .all();
  expect(results).toContainEqual({ status: "released", decided_by: user });
});
