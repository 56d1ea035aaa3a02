/// <reference lib="dom" />
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { addUser, createKey } from "../../src/identity/administration.ts";
import { DESKTOP, useDashboard } from "./support/dashboard.ts";
import { callTool } from "./support/mcp-call.ts";
import { problemsOn } from "./support/page-problems.ts";

// The dashboard's page of changes of stock, in Chromium.

const PHONE = { width: 360, height: 740 };
const REASON =
  "Counted again after the move: two boxes were behind the shelf, and one of them was wet & <b>empty</b>";
const dashboard = useDashboard(2);

let key: string;
beforeAll(async () => {
  const now = Date.now();
  const id = `clerk-${randomBytes(3).toString("hex")}`;
  const made = createKey({ user: id, label: "test" }, now);
  await dashboard().server.batch([
    ...addUser({ id, kind: "user", name: id, roles: ["inventory"] }, now),
    made.statement,
  ]);
  key = made.secret;
});

const call = (name: string, args: object) => callTool(dashboard().server.url, key, name, args);
async function stock(): Promise<unknown> {
  const { structuredContent } = await call("query_stock", { sku: "SKU-10001" });
  return structuredContent?.["stock"];
}
async function addOne(): Promise<string> {
  const { structuredContent, content } = await call("update_inventory", {
    changes: [{ sku: "SKU-10001", warehouse: "east", delta: 1 }],
    reason: REASON,
    idempotency_key: randomBytes(8).toString("hex"),
  });
  const id = structuredContent?.["change_id"];
  if (typeof id !== "string") throw new Error(JSON.stringify(content));
  return id;
}

describe.each([
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const)("%s, on a %s", (colorScheme, _, viewport) => {
  it("shows a change, undoes it by keyboard, and shows it undone; axe finds nothing", async () => {
    const before = await stock();
    const id = await addOne();
    const { page, complaints } = await dashboard().signIn({ colorScheme, viewport });
    await page.goto(`${dashboard().server.url}/admin/stock`);
    const row = page.locator(`#${id}`);
    expect(await row.innerText()).toContain(REASON);
    const [, was, is] = /east: (\d+) → (\d+)/.exec(await row.innerText()) ?? [];
    expect(Number(is) - Number(was)).toBe(1);

    await row.locator("summary").focus();
    await page.keyboard.press("Enter");
    expect(await problemsOn(page)).toEqual([]);
    await page.keyboard.press("Tab");
    await page.keyboard.type("There was only one box");
    // The page refreshes itself meanwhile, and keeps what was typed.
    await page.waitForResponse(
      (response) => response.url().includes("/admin/stock") && response.request().method() === "GET",
    );
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(/done=undone/);

    expect(await row.innerText()).toContain("Undone");
    expect(await row.locator("form").count()).toBe(0);
    const undo = page.locator("tr", { hasText: `undo_change: ${id}` });
    expect(await undo.innerText()).toContain("There was only one box");
    expect(await undo.innerText()).toContain("user-admin");
    expect(await problemsOn(page)).toEqual([]);
    expect(await stock()).toBe(before);
    expect(complaints).toEqual([]);
  });
});

it("says so if something newer touched the stock, and keeps the change as it is", async () => {
  const id = await addOne();
  await addOne();
  const after = await stock();
  const { page } = await dashboard().signIn();
  await page.goto(`${dashboard().server.url}/admin/stock`);
  const row = page.locator(`#${id}`);
  await row.locator("summary").click();
  await row.getByRole("button", { name: "Undo" }).click();
  await page.getByText("changed since").waitFor();
  expect(await problemsOn(page)).toEqual([]);
  expect(await stock()).toBe(after);
});
