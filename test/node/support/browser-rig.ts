import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { demoKeys } from "../../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../../cli/local/server.ts";
import { type SignIn, auditPage, closeClients } from "./browser.ts";
import { launchBrowser } from "./find-browser.ts";
import { product, seed } from "./imports.ts";

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

/** The ways to visit: device, and whether pages may run scripts. */
export const WAYS: [string, BrowserContextOptions][] = [
  ["desktop, light", { colorScheme: "light" }],
  ["phone, dark", { viewport: PHONE, colorScheme: "dark", hasTouch: true, isMobile: true }],
  ["no scripts", { javaScriptEnabled: false }],
];

export interface Visit {
  page: Page;
  /** Errors that the browser reported on this server's pages, such as a violated policy. */
  complaints: string[];
}

export interface BrowserRig {
  /** A folder for the test's own files; deleted at the end. */
  folder: string;
  server: LocalServer;
  browser: Browser;
  /** Returns a demo user's key. */
  keyOf: (user: string) => string;
  /** Opens a path of the server, or a whole URL, in a new browser profile. */
  visit: (url: string, options?: BrowserContextOptions) => Promise<Visit>;
}

/**
 * Starts a browser, and a server that requires tokens. Call it before the tests, and the returned function
 * within them. `prepare` runs first and returns more settings. Without a browser the tests are skipped, with
 * the reason.
 */
export function browserRig(
  prepare: () => Promise<Record<string, string>> = async () => ({}),
): () => BrowserRig {
  let rig: BrowserRig | undefined;
  let missing: string | undefined;
  beforeAll(async () => {
    const settings = await prepare();
    const launched = await launchBrowser();
    if ("missing" in launched) {
      ({ missing } = launched);
      return;
    }
    const { browser } = launched;
    const folder = await mkdtemp(join(tmpdir(), "catalog-browser-test-"));
    const stateDir = join(folder, "state");
    const server = await startServer({ stateDir, vars: { LOCAL_ANONYMOUS: "off", ...settings } });
    await seed(server, [product({ sku: "SKU-10001" })]);
    const keys = await demoKeys(server, stateDir);
    const visit: BrowserRig["visit"] = (url, options) => open(server, browser, url, options);
    rig = { folder, server, browser, visit, keyOf: (user) => keys[user] ?? "" };
  });
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
  afterEach(async () => {
    await Promise.all(rig?.browser.contexts().map((context) => context.close()) ?? []);
    await closeClients();
  });
  afterAll(async () => {
    await rig?.browser.close();
    await rig?.server.close();
    if (rig !== undefined) await rm(rig.folder, { recursive: true });
  });
  return () => {
    if (rig === undefined) throw new Error("The server has not started");
    return rig;
  };
}

async function open(
  server: LocalServer,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    const at = message.location().url;
    const isElsewhere = URL.canParse(at) && new URL(at).origin !== server.url;
    if (message.type() === "error" && !isElsewhere) complaints.push(message.text());
  });
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(new URL(url, server.url).href);
  return { page, complaints };
}

/** Expects that the client's token can call tools. */
export async function expectAnswer(signIn: SignIn): Promise<void> {
  const client = await signIn.finish();
  const answer = await client.callTool({ name: "query_stock", arguments: { skus: ["SKU-10001"] } });
  expect(answer.structuredContent).toMatchObject({ items: [{ sku: "SKU-10001", stock: 3 }] });
}

export const heading = (page: Page): Promise<string> => page.getByRole("heading", { level: 1 }).innerText();

/** Expects a page with this heading that is in order on a desktop and on a phone, light and dark. */
export async function expectOrder(page: Page, title: string): Promise<void> {
  expect(await heading(page)).toContain(title);
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const { dark, problems, contrast, smallestTarget } = await auditPage(page);
      expect(problems).toEqual([]);
      expect(dark).toBe(colorScheme === "dark");
      expect(contrast).toBeGreaterThanOrEqual(4.5);
      expect(smallestTarget).toBeGreaterThanOrEqual(40);
    }
  }
}
