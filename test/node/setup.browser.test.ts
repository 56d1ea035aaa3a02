import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startServer } from "../../cli/local/server.ts";
import { PHONE, expectOrder } from "./support/browser-rig.ts";
import { launchBrowser } from "./support/find-browser.ts";

/** A folder for pictures of the pages; none are made without it. */
const PICTURES = process.env["PICTURES_DIR"];

it("the first admin is made in the browser, on a phone", async ({ skip }) => {
  const launched = await launchBrowser();
  if ("missing" in launched) {
    skip(launched.missing);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "catalog-setup-test-"));
  const logged: string[] = [];
  const server = await startServer({
    stateDir: join(folder, "state"),
    vars: { LOCAL_ANONYMOUS: "off" },
    onLog: (line) => void logged.push(line),
  });
  try {
    const context = await launched.browser.newContext({
      viewport: PHONE,
      colorScheme: "dark",
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => void complaints.push(message.text()));
    const picture = async (name: string) => {
      if (PICTURES === undefined) return;
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(PHONE);
        await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}.png`), fullPage: true });
      }
    };

    await page.goto(`${server.url}/sign-in`);
    await page.getByRole("link", { name: "set it up" }).click();
    await expectOrder(page, "Set up this server");
    await picture("setup");
    await page.getByRole("button", { name: "Write a code to the log" }).click();
    await expect.poll(() => logged.join("\n")).toContain("setup_code");
    const [, code = ""] = /"setup_code":"([\w-]+)"/.exec(logged.join("\n")) ?? [];
    expect(await page.content()).not.toContain(code);
    await page.getByLabel("Code from the log").fill("not the code");
    await page.getByLabel("Administrator's id").fill("maria");
    await page.getByRole("button", { name: "Create the administrator" }).click();
    expect(await page.getByRole("alert").innerText()).toContain("wrong or has expired");
    await expectOrder(page, "Set up this server");
    await picture("setup-wrong");
    expect(await page.getByLabel("Administrator's id").inputValue()).toBe("maria");
    await page.getByLabel("Code from the log").fill(code);
    await page.getByRole("button", { name: "Create the administrator" }).click();
    await expectOrder(page, "This server is yours");
    await picture("setup-done");
    expect(await page.content()).toContain("pcm_");
    await page.getByRole("link", { name: "open the dashboard" }).click();
    await page.waitForURL("**/admin");
    await page.goto(`${server.url}/setup`);
    await expectOrder(page, "This server is already set up");
    // The browser itself reports the refused form and the page that is over.
    expect(complaints.filter((text) => !/status of (403|409)/.test(text))).toEqual([]);
  } finally {
    await launched.browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  }
});
