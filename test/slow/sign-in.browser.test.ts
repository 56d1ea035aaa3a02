import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import type { LocalServer } from "../../cli/local/server.ts";
import {
  type Visit,
  PHONE,
  WAYS,
  browserRig,
  expectAnswer,
  expectOrder,
} from "../node/support/browser-rig.ts";
import { beginSignIn, enterKey, listen } from "../node/support/browser.ts";

const EVIL = `<img src=x onerror=alert(1)> "Evil"`;
const ALL_SCOPES = "catalog:read inventory:write support:read support:write admin offline_access";

const rig = browserRig();
let server: LocalServer;
beforeEach(() => void ({ server } = rig()));
const keyOf = (user: string): string => rig().keyOf(user);
const visit = (url: string, options?: BrowserContextOptions): Promise<Visit> => rig().visit(url, options);

const sessions = new Map<string, Awaited<ReturnType<BrowserContext["storageState"]>>>();

/** Opens the consent page as a user who signed in before. */
async function visitConsent(url: string, user = "user-admin", options: BrowserContextOptions = {}) {
  let session = sessions.get(user);
  if (session === undefined) {
    const { page } = await visit(`${server.url}/sign-in`);
    await enterKey(page, keyOf(user));
    session = await page.context().storageState();
    sessions.set(user, session);
  }
  return visit(url, { storageState: session, ...options });
}

describe("from a client's challenge to its first answer", () => {
  it.each(WAYS)("%s", async (_, options) => {
    const signIn = await beginSignIn(server.url);
    const { page, complaints } = await visit(signIn.authorizationUrl, options);
    expect(new URL(page.url()).pathname).toBe("/sign-in");
    await enterKey(page, keyOf("user-001"));
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    expect(complaints).toEqual([]);

    const arrival = await signIn.arrival;
    expect(arrival.get("state")).toBe(signIn.state);
    expect(arrival.get("iss")).toBe(server.url);
    await expectAnswer(signIn);
    expect(signIn.tokens()).toMatchObject({ scope: "catalog:read offline_access", expires_in: 3600 });
  });

  it.each(["localhost", "::1"])("returns to a client that listens on %s", async (host) => {
    const signIn = await beginSignIn(server.url, { host });
    const { page, complaints } = await visitConsent(signIn.authorizationUrl);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    expect(complaints).toEqual([]);
    await expectAnswer(signIn);
  });

  it("works by keyboard alone, with a visible focus", async () => {
    const signIn = await beginSignIn(server.url, { scope: ALL_SCOPES });
    const { page } = await visit(signIn.authorizationUrl);
    // The key's field has the focus from the start: a browser gives it when it first draws the page, which may be after its load.
    await expect
      .poll(() => focused(page), { timeout: 10_000 })
      .toMatchObject({ is: "input key", outline: "solid 3px" });
    await page.keyboard.type(keyOf("user-admin"));
    await page.keyboard.press("Tab");
    expect(await focused(page)).toMatchObject({ is: "button Sign in", outline: "solid 3px" });
    const consent = page.waitForEvent("load");
    await page.keyboard.press("Enter");
    await consent;

    const seen: { is: string; outline: string }[] = [];
    for (let stops = 0; stops < 8; stops++) {
      await page.keyboard.press("Tab");
      const at = await focused(page);
      seen.push(at);
      if (at.is === "input admin") await page.keyboard.press("Space");
    }
    expect(seen).toEqual(
      [
        "a Not you?",
        "input catalog:read",
        "input inventory:write",
        "input support:read",
        "input support:write",
        "input admin",
        "button Allow",
        "button Deny",
      ].map((is) => ({ is, outline: "solid 3px" })),
    );
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    await expectAnswer(signIn);
    expect(signIn.tokens()?.scope?.split(" ")).toEqual(ALL_SCOPES.split(" ").filter((s) => s !== "admin"));
  });

  it.each([true, false])("Deny tells the client so (scripts: %s)", async (javaScriptEnabled) => {
    const signIn = await beginSignIn(server.url);
    const { page, complaints } = await visitConsent(signIn.authorizationUrl, "user-001", {
      javaScriptEnabled,
    });
    await page.getByRole("button", { name: "Deny" }).click();
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    const arrival = await signIn.arrival;
    expect(arrival.get("error")).toBe("access_denied");
    expect(arrival.get("state")).toBe(signIn.state);
    expect(arrival.has("code")).toBe(false);
    await expect(signIn.finish()).rejects.toThrow("access_denied");
    expect(signIn.tokens()).toBeUndefined();
    expect(complaints).toEqual([]);
  });
});

describe("signing in", () => {
  it("says that a key is wrong, and keeps the way back to the client", async () => {
    const signIn = await beginSignIn(server.url);
    const { page } = await visit(signIn.authorizationUrl);
    await enterKey(page, keyOf("user-001").slice(0, -1));
    expect(await page.getByRole("alert").innerText()).toBe("This access key is not valid.");
    const field = page.getByLabel("Access key");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await field.getAttribute("aria-describedby")).toBe("key-problem key-hint");
    expect(await field.inputValue()).toBe("");
    expect(await page.context().cookies()).toEqual([]);
    await enterKey(page, ` ${keyOf("user-001")}\t`);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    await expectAnswer(signIn);
  });

  it("lasts for the browser session, in a cookie that no script and no other site sees", async () => {
    const { page } = await visit((await beginSignIn(server.url)).authorizationUrl);
    await enterKey(page, keyOf("user-001"));
    const cookies = await page.context().cookies();
    const session = cookies.find(({ name }) => name === "__Host-session");
    expect(session).toMatchObject({
      path: "/",
      domain: "127.0.0.1",
      httpOnly: true,
      secure: true,
      sameSite: "Lax",
    });
    // A session cookie: it is gone when the browser closes.
    expect(session?.expires).toBe(-1);
    expect(cookies.filter(({ name }) => !name.startsWith("__Host-"))).toEqual([]);
    expect(await page.evaluate(() => document.cookie)).toBe("");

    const second = await beginSignIn(server.url, { name: "Second app" });
    await page.goto(second.authorizationUrl);
    expect(await page.getByRole("heading").innerText()).toBe("Let Second app use the product catalog?");
  });
});

describe("the consent page", () => {
  it("shows who asks, where access goes and what for, and runs none of the client's text", async () => {
    const signIn = await beginSignIn(server.url, { name: EVIL, scope: ALL_SCOPES });
    const { page, complaints } = await visitConsent(signIn.authorizationUrl, "user-support");
    const title = `Let ${EVIL} use the product catalog?`;
    expect(await page.getByRole("heading").innerText()).toBe(title);
    expect(await page.title()).toBe(title);
    expect(await page.locator("img, script, iframe, object").count()).toBe(0);
    expect(await page.locator("dd").allInnerTexts()).toEqual(["user-support Not you?", "127.0.0.1"]);
    expect(await page.locator(".warn").innerText()).toMatch(/^That is an app on your own computer\./);
    // The page offers only the requested scopes that the user's roles allow.
    expect(await page.getByRole("group", { name: "It may" }).locator("small").allInnerTexts()).toEqual([
      "catalog:read",
      "support:read",
      "support:write",
    ]);
    expect(complaints).toEqual([]);
  });

  it("keeps everything visible despite a long name or invisible characters", async () => {
    const signIn = await beginSignIn(server.url, { name: `\u202e${"Long ".repeat(500)}` });
    const { page } = await visitConsent(signIn.authorizationUrl, "user-001", { viewport: PHONE });
    const heading = await page.getByRole("heading").innerText();
    expect(heading).toMatch(/^Let (Long )+.{0,4}… use the product catalog\?$/);
    expect(heading.length).toBeLessThan(120);
    const bottom = await page.evaluate(() => document.querySelector(".warn")?.getBoundingClientRect().bottom);
    expect(bottom).toBeLessThan(PHONE.height);
  });

  it("does not mistake an app's own scheme for the web host that it spells", async () => {
    const url = await authorizationUrl("com.evil.app://claude.ai/callback");
    const { page } = await visitConsent(url, "user-001");
    expect(await page.locator("dd").allInnerTexts()).toEqual([
      "user-001 Not you?",
      "the app that opens com.evil.app: links",
    ]);
    expect(await page.locator(".warn").innerText()).toMatch(/^That is an app on your own device\./);
  });

  it("sends the answer to an app with its own scheme", async () => {
    const { page, complaints } = await visit(
      await authorizationUrl("cursor://anysphere.cursor-mcp/callback"),
    );
    await enterKey(page, keyOf("user-001"));
    const opened = page.waitForEvent("requestfailed", (request) => request.url().startsWith("cursor:"));
    await page.getByRole("button", { name: "Allow" }).click();
    // Nothing opens such links here, so this only checks that the browser went there.
    expect(new URL((await opened).url()).searchParams.get("code")).toMatch(/^user-001:/);
    expect(complaints).toEqual([]);
  });

  it("ticks nothing that was not requested, and says what the roles do not allow", async () => {
    const signIn = await beginSignIn(server.url, { scope: "admin" });
    const { page } = await visitConsent(signIn.authorizationUrl, "user-001");
    expect(await page.locator(".quiet").innerText()).toBe("Your roles do not allow admin.");
    const others = page.getByRole("group", { name: "It does not ask for this" });
    expect(await others.locator("small").allInnerTexts()).toEqual(["catalog:read"]);
    expect(await page.getByRole("checkbox", { checked: true }).count()).toBe(0);
  });

  it("grants what the person ticks beyond the request", async () => {
    const signIn = await beginSignIn(server.url, { scope: "catalog:read" });
    const { page } = await visitConsent(signIn.authorizationUrl, "user-support");
    await page.getByLabel("Read customers, orders and tickets").check();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${signIn.redirectUrl}?**`);
    await expectAnswer(signIn);
    expect(signIn.tokens()).toMatchObject({ scope: "catalog:read support:read" });
  });

  it.each(["/authorize", "/sign-in"])("%s cannot be framed by another page", async (path) => {
    const signIn = await beginSignIn(server.url);
    const target = path === "/authorize" ? signIn.authorizationUrl : `${server.url}/sign-in`;
    const { page } = await visitConsent(signIn.authorizationUrl);
    const framing = await listen((_, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<iframe src="${target.replaceAll("&", "&amp;")}"></iframe>`);
    });
    const refused = page.waitForEvent("console", (message) => message.text().includes("frame"));
    await page.goto(framing.url);
    expect((await refused).text()).toMatch(/Refused to (frame|display)|frame-ancestors|Framing/i);
    const [, frame] = page.frames();
    expect(frame?.url()).toBe("chrome-error://chromewebdata/");
    expect(await frame?.locator("form").count()).toBe(0);
    framing.close();
  });
});

it("every page is in order on a desktop and on a phone, light and dark", async () => {
  const signIn = await beginSignIn(server.url, { name: "W".repeat(300), scope: ALL_SCOPES });
  const { page } = await visit(signIn.authorizationUrl);
  await expectOrder(page, "Sign in");
  await enterKey(page, "wrong");
  expect(await page.getByRole("alert").count()).toBe(1);
  await expectOrder(page, "Sign in");
  await enterKey(page, keyOf("user-admin"));
  await expectOrder(page, "Let WWWWWWWW");
  await page.goto(`${server.url}/authorize?client_id=none&response_type=code&redirect_uri=http://127.0.0.1/`);
  await expectOrder(page, "This sign-in can't go on");
});

/** Returns the focused element, and how its focus is drawn. */
function focused(page: Page): Promise<{ is: string; outline: string }> {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (!(at instanceof HTMLElement)) return { is: "nothing", outline: "" };
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    const isInput = at instanceof HTMLInputElement;
    const named = !isInput ? at.innerText : at.type === "checkbox" ? at.value : at.name;
    return { is: `${at.tagName.toLowerCase()} ${named}`, outline: `${outlineStyle} ${outlineWidth}` };
  });
}

/** Returns the URL to which a client with that redirect sends its user. */
async function authorizationUrl(redirect: string): Promise<string> {
  const registered = await fetch(`${server.url}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "App",
      redirect_uris: [redirect],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id } = z.object({ client_id: z.string() }).parse(await registered.json());
  const url = new URL("/authorize", server.url);
  url.search = new URLSearchParams({
    client_id,
    redirect_uri: redirect,
    response_type: "code",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    scope: "catalog:read",
    resource: `${server.url}/mcp`,
  }).toString();
  return url.href;
}
