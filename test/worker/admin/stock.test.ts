import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { draftOf } from "../../../src/changes/change.ts";
import { createInventory } from "../../../src/inventory/repository.ts";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { ORIGIN, form } from "../identity/support/deployed.ts";
import { keyOf } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";
import { fill, product } from "../support/catalog.ts";
import { changeIn, newClerk, stockOf } from "../support/stock.ts";

let admin: Browser;
let clerk: Awaited<ReturnType<typeof newClerk>>;
let sku: string;
let products = 0;
beforeAll(async () => {
  admin = await signedIn(await keyOf(["admin"]));
});
beforeEach(async () => {
  clerk = await newClerk();
  sku = `SEEN-${++products}`;
  await fill([product({ sku, stock: [{ warehouse: "east", quantity: 10 }] })]);
});

const take = async (reason: string) =>
  changeIn(await clerk.update([{ sku, warehouse: "east", delta: -3 }], { reason })).change_id;
const page = async (path = "/admin/stock") => (await admin.request(path)).text();
const undo = (id: string, note: string, origin = ORIGIN) =>
  admin.request(`/admin/stock/${id}/undo`, form({ note }, { origin }));

it("shows each change with who made it, why, and what it did", async () => {
  const id = await take("<b>Wet</b> boxes");
  const html = await page();
  const row = html.slice(html.indexOf(`id="${id}"`)).split("</tr>")[0] ?? "";
  expect(row).toContain("&lt;b&gt;Wet&lt;/b&gt; boxes");
  expect(row).toMatch(/href="\/admin\/callers\/person-[\w-]+"/);
  expect(row).toContain("10 → 7");
  expect(row).toContain(`action="/admin/stock/${id}/undo"`);
});

it("undoes a change as the admin, with the note as reason", async () => {
  const id = await take("Wet");
  const response = await undo(id, "It was dry");
  expect([response.status, response.headers.get("location")]).toEqual([303, "/admin/stock?done=undone"]);
  expect(await stockOf(sku, "east")).toMatchObject({ quantity: 10 });
  const html = await page("/admin/stock?done=undone");
  expect(html).toContain("It was dry");
  expect(html).not.toContain(`action="/admin/stock/${id}/undo"`);
  // A form that is sent twice undoes once.
  expect((await undo(id, "It was dry")).status).toBe(303);
  expect(await stockOf(sku, "east")).toMatchObject({ quantity: 10, version: 3 });
});

it("says that a change was undone before, and by what, to a form with another note", async () => {
  const id = await take("Wet");
  await undo(id, "It was dry");
  const response = await undo(id, "Really dry");
  expect(response.status).toBe(409);
  const html = await response.text();
  expect(html).toMatch(/It was undone before, by CH-[0-9a-f]{16}\./);
  expect(html).not.toContain("idempotency_key");
  expect(await stockOf(sku, "east")).toMatchObject({ quantity: 10, version: 3 });
});

it("says so if something newer touched the stock, and changes nothing", async () => {
  const id = await take("Wet");
  await take("Wetter");
  const response = await undo(id, "");
  expect(response.status).toBe(409);
  expect(await response.text()).toContain("changed since");
  expect(await stockOf(sku, "east")).toMatchObject({ quantity: 4 });
});

it("refuses a form of another site, and a change that does not exist", async () => {
  const id = await take("Wet");
  expect((await undo(id, "", "https://evil.example")).status).toBe(403);
  expect(await stockOf(sku, "east")).toMatchObject({ quantity: 7 });
  expect((await undo("CH-0000000000000000", "")).status).toBe(404);
});

it("is in the admin's own audit, with the change that was undone", async () => {
  const boss = await signedIn(await keyOf(["admin"]));
  const undoAs = (id: string) =>
    boss.request(`/admin/stock/${id}/undo`, form({ note: "" }, { origin: ORIGIN }));
  const id = await take("Wet");
  await undoAs(id);
  const undone = await env.DB.prepare("SELECT principal FROM changes WHERE undoes = ?")
    .bind(id)
    .first("principal");
  const calls = async () =>
    (await recordsOf(env.USER_WINDOWS.getByName(String(undone)))).flatMap((record) =>
      record.kind === "attempt" && record.name === "admin.stock.undo"
        ? [[record.decision, JSON.parse(record.arguments)]]
        : [],
    );
  expect(await calls()).toEqual([["admitted", { change_id: id }]]);
  // Neither a form that is sent twice nor an undo that can't be done counts.
  await undoAs(id);
  await undoAs("CH-0000000000000000");
  expect(await calls()).toHaveLength(1);
});

it("is refused without a trace in the stock once an admin has undone too much", async () => {
  const boss = await signedIn(await keyOf(["admin"]));
  const undoAs = (id: string) =>
    boss.request(`/admin/stock/${id}/undo`, form({ note: "" }, { origin: ORIGIN }));
  const inventory = createInventory(env.DB, "many-changes");
  const codes = [];
  for (let each = 0; each < 62; each++) {
    const changes = [{ sku, warehouse: "east", delta: 1 }];
    const draft = draftOf(
      "update_inventory",
      { reason: "Found" },
      { principal: "many-changes", now: Date.now() },
    );
    const planned = await inventory.planUpdate(draft, changes);
    if (planned.ok) await inventory.update(draft, changes, planned.value);
    codes.push((await undoAs(draft.id)).status);
  }
  expect(codes.filter((code) => code === 303)).toHaveLength(60);
  expect(codes.at(-1)).toBe(409);
  expect(await stockOf(sku, "east")).toMatchObject({ quantity: 12 });
}, 60_000);
