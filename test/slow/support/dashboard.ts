import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import * as z from "zod";
import { demoKeys } from "../../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../../cli/local/server.ts";
import { enterKey } from "../../node/support/browser.ts";
import { launchBrowser } from "../../node/support/find-browser.ts";
import { startCommand, within } from "../../node/support/processes.ts";

export const DESKTOP = { width: 1280, height: 900 };

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Errors that the browser reported, policy violations above all. */
  complaints: string[];
}

export interface Dashboard {
  server: LocalServer;
  /** Opens a new browser on the overview, as the demo admin unless another user is named. */
  signIn(options?: Parameters<Browser["newContext"]>[0], user?: string): Promise<Visit>;
  /** The id of a toxic caller of the demo traffic. */
  toxic(name: string): string;
  closeBrowsers(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Returns the path of every page, as links from the browser's overview lead to them; the last is a page of a
 * missing caller.
 */
export async function pathsFrom(page: Page): Promise<string[]> {
  const href = async (selector: string) =>
    (await page.locator(selector).first().getAttribute("href")) ?? "missing";
  const caller = await href(".incidents .what a");
  return [
    "/admin",
    "/admin?range=24h",
    "/admin?range=30d",
    "/admin/incidents",
    await href(".go"),
    "/admin/callers",
    caller,
    "/admin/users",
    "/admin/users/user-admin",
    "/admin/catalog",
    "/admin/catalog/categories",
    "/admin/catalog/imports",
    "/admin/catalog/unstocked",
    "/admin/catalog/flagged",
    "/admin/audit",
    `/admin/audit/${caller.split("/").at(-1)}`,
    "/admin/policy",
    "/admin/callers/nobody",
    "/admin/nothing",
  ];
}

const summarySchema = z.object({ callers: z.array(z.object({ caller: z.string() })) });

/**
 * Starts a server with `seconds` of demo traffic and a browser for a file's tests. Returns a function to call
 * within them. Without a browser they are skipped, with the reason.
 */
export function useDashboard(seconds: number): () => Dashboard {
  let dashboard: Dashboard | undefined;
  let missing: string | undefined;
  const started = () => {
    if (dashboard === undefined) throw new Error("The dashboard has not started.");
    return dashboard;
  };
  beforeAll(
    async () => {
      const launched = await launchBrowser();
      if ("missing" in launched) ({ missing } = launched);
      else dashboard = await startDashboard(seconds, launched.browser);
    },
    seconds * 1000 + 120_000,
  );
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
  afterEach(() => dashboard?.closeBrowsers());
  afterAll(() => dashboard?.close());
  return started;
}

async function startDashboard(seconds: number, browser: Browser): Promise<Dashboard> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-dashboard-"));
  const stateDir = join(folder, "state");
  const server = await startServer({ stateDir });
  const keys = await demoKeys(server, stateDir);
  const traffic = startCommand("lab traffic", [
    `--state=${stateDir}`,
    `--seconds=${seconds}`,
    `--calls=${seconds * 5}`,
    "--json",
  ]);
  const { code, stdout, stderr } = await within(seconds * 1000 + 60_000, traffic);
  if (code !== 0) throw new Error(stderr);
  const { callers } = summarySchema.parse(JSON.parse(stdout));

  async function signIn(options: Parameters<Browser["newContext"]>[0] = {}, user = "user-admin") {
    const context = await browser.newContext({ viewport: DESKTOP, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      // This warning comes from the test's own reading of the charts.
      const isOurs = !message.text().startsWith("Canvas2D:");
      if (isOurs && ["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`${server.url}/sign-in?next=/admin`);
    await enterKey(page, keys[user] ?? "");
    return { context, page, complaints };
  }

  return {
    server,
    signIn,
    toxic(name) {
      const found = callers.find(({ caller }) => caller.startsWith(name));
      if (found === undefined) throw new Error(`No ${name}.`);
      return found.caller;
    },
    async closeBrowsers() {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    async close() {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
