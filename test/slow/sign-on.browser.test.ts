import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalProvider, startProvider } from "../../lab/provider/openid.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import {
  type Visit,
  WAYS,
  browserRig,
  expectAnswer,
  expectOrder,
  heading,
} from "../node/support/browser-rig.ts";
import { beginSignIn, enterKey } from "../node/support/browser.ts";

// Single sign-on from end to end: a real provider, the official client, Chromium.

const SCOPE = "catalog:read support:read inventory:write offline_access";

let provider: LocalProvider;
let server: LocalServer;
const rig = browserRig(async () => {
  provider = await startProvider(() => `${server.url}/sign-on/callback`);
  return provider.settings;
});
beforeEach(() => void ({ server } = rig()));
afterAll(() => provider.stop());
const keyOf = (user: string): string => rig().keyOf(user);
const visit = (path: string, options?: BrowserContextOptions): Promise<Visit> => rig().visit(path, options);

/** Signs in on the provider's own page. */
async function signInAs(page: Page, name: string): Promise<void> {
  await page.waitForURL(`${provider.settings.OIDC_ISSUER}/interaction/**`);
  await page.locator("[name=login]").fill(name);
  await page.locator("[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
}

/** Goes from the sign-in page to the page of this server where the sign-on ends. */
async function signOn(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Sign in with" }).click();
  await signInAs(page, name);
  await page.waitForURL(`${server.url}/**`);
}

describe("from a client's challenge over the provider to its first answer", () => {
  it.each(WAYS)("%s", async (_, options) => {
    provider.people.set("ada", { name: "Ada Lovelace", groups: ["catalog-support"] });
    const signIn = await beginSignIn(server.url, { scope: SCOPE });
    const { page, complaints } = await visit(signIn.authorizationUrl, options);
    expect(await heading(page)).toBe("Let Browser test use the product catalog?");
    await page.getByRole("button", { name: "Allow" }).click();
    await signInAs(page, "ada");
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    expect(complaints).toEqual([]);
    expect((await signIn.arrival).get("state")).toBe(signIn.state);
    await expectAnswer(signIn);
    expect(signIn.tokens()).toMatchObject({ scope: "catalog:read support:read offline_access" });
  });

  it("a provider that remembers the person does not skip the client's consent", async () => {
    provider.people.set("bea", { name: "Bea", groups: ["catalog-support"] });
    const { page } = await visit("/sign-in");
    await signOn(page, "bea");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${server.url}/sign-in`);

    const signIn = await beginSignIn(server.url, { name: "Stranger" });
    const visited: string[] = [];
    page.on("framenavigated", (frame) => visited.push(frame.url()));
    await page.goto(signIn.authorizationUrl);
    expect(await heading(page)).toBe("Let Stranger use the product catalog?");
    await page.waitForTimeout(300);
    expect(visited).toEqual([signIn.authorizationUrl]);
    // From here the provider asks nothing more.
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    expect(visited.filter((url) => url.includes("/interaction/"))).toEqual([]);
    await expectAnswer(signIn);
  });

  it("cancelling at the provider denies the client", async () => {
    const signIn = await beginSignIn(server.url);
    const { page } = await visit(signIn.authorizationUrl);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    expect((await signIn.arrival).get("error")).toBe("access_denied");
  });

  it("a client that its user revokes at /account loses access", async () => {
    provider.people.set("cem", { name: "Cem", groups: ["catalog-support"] });
    const signIn = await beginSignIn(server.url, { name: "Laptop app" });
    const { page } = await visit(signIn.authorizationUrl);
    await page.getByRole("button", { name: "Allow" }).click();
    await signInAs(page, "cem");
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    const client = await signIn.finish();
    await page.goto(`${server.url}/account`);
    await page.getByRole("button", { name: "Revoke Laptop app" }).click();
    await page.getByText("No client is connected.").waitFor();
    await expect(
      client.callTool({ name: "query_stock", arguments: { skus: ["SKU-10001"] } }),
    ).rejects.toMatchObject({ code: "invalid_grant" });
  });
});

describe("people of the provider", () => {
  it("have the roles of their groups as of each sign-in", async () => {
    provider.people.set("dan", { name: "Dan", groups: ["catalog-support", "another-app"] });
    const { page, complaints } = await visit("/account");
    await signOn(page, "dan");
    expect(await heading(page)).toBe("Your account");
    const facts = () => page.locator("dd").allInnerTexts();
    expect(await facts()).toEqual([
      "Dan",
      expect.stringMatching(/^oidc-[\w-]{22}$/),
      "support",
      expect.stringContaining(`by ${new URL(provider.settings.OIDC_ISSUER).host}, `),
    ]);
    const [, user] = await facts();

    provider.people.set("dan", { name: "Dan Brown", groups: ["catalog-inventory"] });
    const later = await visit("/account");
    await signOn(later.page, "dan");
    expect((await later.page.locator("dd").allInnerTexts()).slice(0, 3)).toEqual([
      "Dan Brown",
      user,
      "inventory",
    ]);
    // The earlier session has the new roles from now on.
    await page.reload();
    expect((await facts())[2]).toBe("inventory");
    expect([...complaints, ...later.complaints]).toEqual([]);
  });

  it("without a role are told whom to ask", async () => {
    provider.people.set("eve", { name: "Eve", groups: ["another-app"] });
    const { page } = await visit("/sign-in");
    await signOn(page, "eve");
    expect(await page.locator(".bad").innerText()).toBe(
      "Eve has no role here yet. Ask whoever runs this server for one.",
    );
  });

  it("who are disabled stay out", async () => {
    provider.people.set("fay", { name: "Fay", groups: ["catalog-support"] });
    const { page } = await visit("/sign-in");
    await signOn(page, "fay");
    const [, user = ""] = await page.locator("dd").allInnerTexts();
    const disabled = await fetch(`${server.url}/admin/api/users/${user}/disable`, {
      method: "POST",
      headers: { authorization: `Bearer ${keyOf("user-admin")}` },
    });
    expect(disabled.status).toBe(200);
    await page.goto(`${server.url}/account`);
    expect(await heading(page)).toBe("Sign in to the product catalog");
    // The provider remembers her, and sends her straight back.
    await page.getByRole("button", { name: "Sign in with" }).click();
    await page.waitForURL(`${server.url}/sign-on/callback?**`);
    expect(await page.locator(".bad").innerText()).toBe(
      "Fay is disabled here. Ask whoever runs this server.",
    );
  });

  it("come back once, and in their own browser alone", async () => {
    provider.people.set("gil", { name: "Gil", groups: ["catalog-support"] });
    const { page } = await visit("/sign-in");
    const back = page.waitForRequest(`${server.url}/sign-on/callback?**`);
    await signOn(page, "gil");
    const url = (await back).url();
    for (const again of [page, (await visit("/sign-in")).page]) {
      await again.goto(url);
      expect(await heading(again)).toBe("This sign-in can't go on");
    }
  });
});

it("who sign in while the provider is down are told; keys work, and the same button works once it is up", async () => {
  // Another server, which does not know the provider yet.
  const other = await startServer({
    stateDir: join(rig().folder, "other"),
    vars: { LOCAL_ANONYMOUS: "off", ...provider.settings },
  });
  const otherKeys = await demoKeys(other, join(rig().folder, "other"));
  await provider.stop();
  try {
    const { page } = await visit(`${other.url}/sign-in`);
    await page.getByRole("button", { name: "Sign in with" }).click();
    const host = new URL(provider.settings.OIDC_ISSUER).host;
    expect(await heading(page)).toBe(`${host} does not answer`);
    await page.getByRole("button", { name: "Try again" }).click();
    expect(await heading(page)).toBe(`${host} does not answer`);
    const byKey = await visit(`${other.url}/sign-in`);
    await enterKey(byKey.page, otherKeys["user-001"] ?? "");
    expect(await heading(byKey.page)).toBe("Your account");

    await provider.start();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForURL(`${provider.settings.OIDC_ISSUER}/**`);
  } finally {
    await provider.start().catch(() => {});
    await other.close();
  }
});

it("every page is in order on a desktop and on a phone, light and dark", async () => {
  provider.people.set("hal", { name: "W".repeat(300), groups: ["catalog-admin"] });
  const signIn = await beginSignIn(server.url, { name: "V".repeat(300), scope: SCOPE });
  const { page } = await visit(signIn.authorizationUrl);
  await expectOrder(page, "Let VVVV");
  await page.getByRole("button", { name: "Allow" }).click();
  await signInAs(page, "hal");
  await page.waitForURL(`${signIn.redirectUrl}?**`);
  await signIn.finish();
  expect(signIn.tokens()).toBeDefined();
  await page.goto(`${server.url}/account`);
  await expectOrder(page, "Your account");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${server.url}/sign-in`);
  await expectOrder(page, "Sign in");
  await page.goto(`${server.url}/sign-on/callback?state=none`);
  await expectOrder(page, "This sign-in can't go on");
});

it("/account works by keyboard alone", async () => {
  const { page } = await visit("/sign-in");
  await enterKey(page, keyOf("user-support"));
  const focused = () =>
    page.evaluate(() => {
      const at = document.activeElement;
      return at instanceof HTMLElement ? (at.ariaLabel ?? at.innerText) : "nothing";
    });
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("Sign out");
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("Revoke demo");
  await page.keyboard.press("Enter");
  // This is the key that they signed in with: the session ends with it.
  await page.waitForURL(`${server.url}/sign-in?**`);
});
