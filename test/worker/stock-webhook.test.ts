import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fill, product } from "./support/catalog.ts";
import { send } from "./support/clients.ts";
import { changeIn, newClerk, stockOf } from "./support/stock.ts";

const SECRET = `whsec_${btoa("thirty-two bytes of a shared key")}`;
const setSecret = (secret: string | undefined) => Object.assign(env, { STOCK_WEBHOOK_SECRET: secret });

let sku: string;
let products = 0;
let deliveries = 0;
beforeAll(() => fill([]));
beforeEach(async () => {
  setSecret(SECRET);
  sku = `ERP-${++products}`;
  await fill([product({ sku, stock: [{ warehouse: "east", quantity: 10 }] })]);
});
afterEach(() => setSecret(undefined));

const stated = (quantity: number, sequence: number, warehouse = "east") => ({
  sku,
  warehouse,
  quantity,
  sequence,
});
async function deliver(
  quantities: object[],
  { sentAt = new Date(), secret = SECRET, id = `msg_${++deliveries}`, type = "stock.quantities" } = {},
) {
  const body = JSON.stringify({ type, data: { quantities } });
  const response = await send("/webhooks/stock", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
      "webhook-signature": new Webhook(secret).sign(id, sentAt, body),
    },
    body,
  });
  return { status: response.status, answer: await response.text() };
}
const applied = async (quantities: object[]): Promise<unknown> =>
  JSON.parse((await deliver(quantities)).answer);

describe("the stock webhook", () => {
  it("takes absolute quantities, of new warehouses too", async () => {
    expect(await applied([stated(7, 1), stated(3, 1, "harbour")])).toEqual({
      change_id: expect.stringMatching(/^CH-/),
      applied: 2,
      ignored: 0,
      unknown_skus: [],
    });
    expect([await stockOf(sku, "east"), await stockOf(sku, "harbour")]).toEqual([
      { quantity: 7, version: 2 },
      { quantity: 3, version: 1 },
    ]);
  });

  it("changes nothing by late and repeated deliveries", async () => {
    await deliver([stated(7, 5)]);
    const ignored = { change_id: null, applied: 0, ignored: 1 };
    expect(await applied([stated(7, 5)])).toMatchObject(ignored);
    expect(await applied([stated(9, 5)])).toMatchObject(ignored);
    expect(await applied([stated(9, 4)])).toMatchObject(ignored);
    expect(await stockOf(sku, "east")).toEqual({ quantity: 7, version: 2 });
    // Each place has its own order.
    expect(await applied([stated(9, 4), stated(1, 1, "west")])).toMatchObject({ applied: 1, ignored: 1 });
  });

  it("applies the last of several quantities of one place, in any order", async () => {
    expect(await applied([stated(5, 9), stated(6, 8)])).toMatchObject({ applied: 1, ignored: 1 });
    expect(await stockOf(sku, "east")).toMatchObject({ quantity: 5 });
  });

  it("applies parallel deliveries in the order of their numbers", async () => {
    await Promise.all(Array.from({ length: 8 }, (_, index) => deliver([stated(index, index + 1)])));
    expect(await stockOf(sku, "east")).toMatchObject({ quantity: 7 });
  });

  it("names products that it does not know, and applies the others", async () => {
    const unknown = { ...stated(1, 1), sku: "NO-SUCH" };
    expect(await applied([unknown, stated(2, 1)])).toMatchObject({ applied: 1, unknown_skus: ["NO-SUCH"] });
  });

  it("is a newer touch for undo and versions, even with the same quantity", async () => {
    const clerk = await newClerk();
    const { change_id } = changeIn(await clerk.update([{ sku, warehouse: "east", delta: -3 }]));
    await deliver([stated(7, 1)]);
    expect((await clerk.undo(change_id)).refused).toMatchObject({ code: "conflict" });
    const { value } = await clerk.use("list_changes", { sku, limit: 1 });
    expect(value).toMatchObject({ items: [{ tool: "stock_webhook", by: "(stock webhook)" }] });
  });

  it.each<[string, Parameters<typeof deliver>[1]]>([
    ["another secret", { secret: `whsec_${btoa("another key of thirty-two bytes!")}` }],
    ["an old signature", { sentAt: new Date(Date.now() - 6 * 60_000) }],
    ["a signature from the future", { sentAt: new Date(Date.now() + 6 * 60_000) }],
  ])("refuses %s", async (_, options) => {
    expect((await deliver([stated(1, 1)], options)).status).toBe(401);
    expect(await stockOf(sku, "east")).toEqual({ quantity: 10, version: 1 });
  });

  it("refuses an unsigned delivery, and a body that was changed", async () => {
    const body = JSON.stringify({ type: "stock.quantities", data: { quantities: [stated(1, 1)] } });
    expect((await send("/webhooks/stock", { method: "POST", body })).status).toBe(401);
    const headers = {
      "webhook-id": "msg_x",
      "webhook-timestamp": String(Math.floor(Date.now() / 1_000)),
      "webhook-signature": new Webhook(SECRET).sign("msg_x", new Date(), body),
    };
    const changed = body.replace('"quantity":1', '"quantity":2');
    expect((await send("/webhooks/stock", { method: "POST", body: changed, headers })).status).toBe(401);
  });

  it.each<[string, object[]]>([
    ["no quantities", []],
    ["a quantity below 0", [{ sku: "A", warehouse: "east", quantity: -1, sequence: 1 }]],
    ["no sequence number", [{ sku: "A", warehouse: "east", quantity: 1 }]],
    ["a quantity in quotes", [{ sku: "A", warehouse: "east", quantity: "1", sequence: 1 }]],
  ])("refuses %s and says what is wrong", async (_, quantities) => {
    const { status, answer } = await deliver(quantities);
    expect(status).toBe(400);
    expect(JSON.parse(answer)).toMatchObject({ problems: [{ path: expect.stringContaining("quantities") }] });
  });

  it("does not exist without a secret", async () => {
    setSecret(undefined);
    expect((await deliver([stated(1, 1)])).status).toBe(404);
  });
});
