import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { feedObject } from "../../../src/feeds/feed-client.ts";
import { optionsSchema } from "../../../src/feeds/options.ts";
import { newUser } from "../identity/support/people.ts";
import {
  DAY,
  HOUR,
  NOW,
  bucket,
  catalog,
  deliveriesOf,
  googleFeed,
  live,
  newFeed,
  newPath,
  publish,
  statusOf,
  useShop,
} from "./support.ts";

// Where the bytes of deliveries are, and that none are left behind.

useShop();
let admin: string;
beforeAll(async () => {
  admin = await newUser(["admin"]);
});
beforeEach(() => env.DB.prepare("DELETE FROM products").run());
function withR2() {
  beforeEach(() => {
    Object.assign(env, { FEED_FILES: bucket });
  });
}
afterEach(() => void Reflect.deleteProperty(env, "FEED_FILES"));

const vases = (price: number) =>
  googleFeed(
    Array.from({ length: 60 }, (_, index) => ({
      id: `vase-${index}`,
      title: `Vase ${index}`,
      price: `${price + (index % 7)} EUR`,
    })),
  );
const priceNow = async () => (await catalog())["vase-0"];
/** Pieces in the bucket, and in the storage of an object. */
async function piecesOf(id: string): Promise<{ r2: number; object: number }> {
  const { objects } = await bucket.list({ prefix: "feeds/" });
  const object = await runInDurableObject(feedObject(env, id), (_, { storage }) => {
    const tables = storage.sql.exec("SELECT name FROM sqlite_schema WHERE name = 'pieces'").toArray();
    return tables.length === 0 ? 0 : storage.sql.exec("SELECT n FROM pieces").toArray().length;
  });
  return { r2: objects.length, object };
}
const NONE = { r2: 0, object: 0 };

/** A feed whose second delivery waits for a person. */
async function heldFeed(): Promise<{ id: string; path: string; held: string }> {
  const path = newPath();
  await publish(path, { body: vases(20) });
  const id = await newFeed(path);
  await live(id);
  expect(await priceNow()).toBe(2_000);
  await publish(path, { body: vases(9_000) });
  vi.setSystemTime(NOW + DAY);
  await live(id);
  return { id, path, held: (await statusOf(id)).held?.id ?? "" };
}

async function newUpload(): Promise<string> {
  const id = crypto.randomUUID();
  const options = optionsSchema.parse({});
  await feedObject(env, id).create({
    id,
    kind: "upload",
    name: "vases.csv",
    url: null,
    options,
    everyMinutes: 0,
    createdBy: admin,
  });
  return id;
}
const csv = new TextEncoder().encode("sku,name,category,price,currency\nvase-0,Vase,Home,4.99,EUR\n");

describe.each([
  ["the object's own storage", () => {}, { r2: 0, object: 1 }],
  ["R2", withR2, { r2: 1, object: 0 }],
])("with %s", (_, bind, one) => {
  bind();

  it("holds a delivery's bytes while it waits, and none once it is applied", async () => {
    const { id, held } = await heldFeed();
    expect(await piecesOf(id)).toEqual(one);
    await evictDurableObject(feedObject(env, id));
    await feedObject(env, id).approve(admin, held, null);
    await live(id);
    expect(await priceNow()).toBe(900_000);
    expect(await piecesOf(id)).toEqual(NONE);
    await feedObject(env, id).remove();
  });

  it("holds none once it is discarded, or its feed removed", async () => {
    const first = await heldFeed();
    await feedObject(env, first.id).discard(admin, first.held);
    await live(first.id);
    expect(await piecesOf(first.id)).toEqual(NONE);
    await feedObject(env, first.id).remove();
    vi.setSystemTime(NOW);
    const second = await heldFeed();
    expect(await piecesOf(second.id)).toEqual(one);
    await feedObject(env, second.id).remove();
    expect(await piecesOf(second.id)).toEqual(NONE);
  });

  it("holds none of a file that nobody completes, and reads one that is sent twice", async () => {
    const [unsent, id] = [await newUpload(), await newUpload()];
    await feedObject(env, unsent).receive(0, csv);
    await live(unsent, NOW + 2 * DAY);
    expect(await piecesOf(unsent)).toEqual(NONE);
    vi.setSystemTime(NOW);
    const feed = feedObject(env, id);
    await Promise.all([0, 0, 1].map((n) => feed.receive(n, n === 0 ? csv : new Uint8Array([10]))));
    expect(await feed.received(2)).toMatchObject({ ok: true });
    await live(id);
    const { held } = await statusOf(id);
    expect(held?.report?.rows).toBe(1);
    await feed.approve(admin, held?.id ?? "", null);
    await live(id);
    expect(await priceNow()).toBe(499);
    expect(await piecesOf(id)).toEqual(NONE);
  });
});

describe("R2", () => {
  withR2();
  const down = () => Promise.reject(new Error("R2: internal error (10001)"));

  it("takes a file larger than the object's own storage does", async () => {
    const feed = feedObject(env, await newUpload());
    const piece = new Uint8Array(13 * 1024 * 1024);
    for (let n = 0; n < 5; n++) expect(await feed.receive(n, piece)).toMatchObject({ ok: true });
    Reflect.deleteProperty(env, "FEED_FILES");
    expect(await feed.receive(5, piece)).toMatchObject({ refusal: { code: "request_too_large" } });
    Object.assign(env, { FEED_FILES: bucket });
    vi.setSystemTime(NOW + 2 * DAY);
    await runDurableObjectAlarm(feed);
  });

  it("that takes no bytes leaves the catalog whole, and the next attempt is applied", async () => {
    const path = newPath();
    await publish(path, { body: vases(20) });
    const id = await newFeed(path);
    await live(id);
    await publish(path, { body: vases(21) });
    vi.setSystemTime(NOW + DAY);
    const spy = vi.spyOn(bucket, "put").mockImplementation(down);
    await live(id);
    expect(await priceNow()).toBe(2_000);
    expect((await deliveriesOf(id)).at(-1)).toEqual(["retrying", expect.stringContaining("R2")]);
    spy.mockRestore();
    await live(id, NOW + DAY + HOUR);
    expect(await priceNow()).toBe(2_100);
    expect((await deliveriesOf(id)).map(([outcome]) => outcome)).toEqual(["applied", "applied"]);
    expect(await piecesOf(id)).toEqual(NONE);
    await feedObject(env, id).remove();
  });

  it("that gives no bytes leaves the catalog whole, and the delivery is applied afterwards", async () => {
    const { id, held } = await heldFeed();
    await feedObject(env, id).approve(admin, held, null);
    const spy = vi.spyOn(bucket, "get").mockImplementation(down);
    await runDurableObjectAlarm(feedObject(env, id));
    expect(await priceNow()).toBe(2_000);
    expect((await deliveriesOf(id)).at(-1)?.[0]).toBe("retrying");
    spy.mockRestore();
    await live(id, NOW + DAY + HOUR);
    expect(await priceNow()).toBe(900_000);
    await feedObject(env, id).remove();
  });

  it("that has lost a file makes the feed fetch it again, unapproved", async () => {
    const { id, held } = await heldFeed();
    const { objects } = await bucket.list();
    await bucket.delete(objects.map(({ key }) => key));
    await feedObject(env, id).approve(admin, held, null);
    await live(id, NOW + DAY + HOUR);
    expect(await priceNow()).toBe(2_000);
    expect((await statusOf(id)).held?.report?.reasons).toEqual(["prices"]);
    await feedObject(env, id).remove();
  });

  it("that deletes nothing is asked again, also after the feed was removed", async () => {
    const { id, held } = await heldFeed();
    const spy = vi.spyOn(bucket, "delete").mockImplementation(down);
    await feedObject(env, id).discard(admin, held);
    await live(id);
    expect(await piecesOf(id)).toEqual({ r2: 1, object: 0 });
    await feedObject(env, id).remove();
    expect(await feedObject(env, id).status()).toMatchObject({ refusal: { code: "not_found" } });
    expect((await piecesOf(id)).r2).toBe(1);
    spy.mockRestore();
    await live(id, NOW + DAY + HOUR);
    expect(await piecesOf(id)).toEqual(NONE);
  });

  it("that takes no piece of an upload gets it when it is sent again", async () => {
    const id = await newUpload();
    const feed = feedObject(env, id);
    const spy = vi.spyOn(bucket, "put").mockImplementation(down);
    expect(await feed.receive(0, csv)).toMatchObject({ refusal: { code: "unavailable" } });
    expect(await feed.received(1)).toMatchObject({ refusal: { code: "conflict" } });
    spy.mockRestore();
    expect(await feed.receive(0, csv)).toMatchObject({ ok: true });
    expect(await feed.received(1)).toMatchObject({ ok: true });
    await live(id, NOW + 8 * DAY);
    expect((await piecesOf(id)).r2).toBe(0);
  });
});
