import { beforeAll, beforeEach, expect, it } from "vitest";
import { type Browser, signedIn } from "../identity/support/browser.ts";
import { ORIGIN, form } from "../identity/support/deployed.ts";
import { keyOf } from "../identity/support/people.ts";
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
