import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { feedObject } from "../../../src/feeds/feed-client.ts";
import { optionsSchema } from "../../../src/feeds/options.ts";
import { api } from "../identity/support/admin-api.ts";
import { bearer, send } from "../identity/support/deployed.ts";
import { keyOf, newUser } from "../identity/support/people.ts";
import {
  DAY,
  HOUR,
  NOW,
  catalog,
  googleFeed,
  live,
  newFeed,
  newPath,
  publish,
  statusOf,
  useShop,
} from "./support.ts";

useShop();

let admin: string;
beforeAll(async () => {
  admin = await newUser(["admin"]);
});

const lamps = (price: number) =>
  googleFeed(
    Array.from({ length: 60 }, (_, index) => ({
      id: `shade-${index}`,
      title: `Shade ${index}`,
      price: `${price + (index % 7)} EUR`,
    })),
  );
const priceNow = async () => (await catalog())["shade-0"];
const stagedRows = () => env.DB.prepare("SELECT count(*) AS rows FROM import_rows").first("rows");
const feedRow = (id: string) => env.DB.prepare("SELECT id FROM feeds WHERE id = ?").bind(id).first();

/** A feed whose first delivery is applied. */
async function servedFeed(): Promise<{ id: string; path: string }> {
  await env.DB.prepare("DELETE FROM products").run();
  const path = newPath();
  await publish(path, { body: lamps(20) });
  const id = await newFeed(path);
  await live(id);
  return { id, path };
}

/** Delivers other prices a day later, which wait for a person. */
async function deliver({ id, path }: { id: string; path: string }, price: number, day: number) {
  await publish(path, { body: lamps(price) });
  vi.setSystemTime(NOW + day * DAY);
  await live(id);
  const { held } = await statusOf(id);
  return held?.id ?? "";
}

/** Lets every statement fail while `work` runs. */
async function withoutD1(work: () => Promise<unknown>): Promise<void> {
  const db = env.DB;
  const down = () => Promise.reject(new Error("D1_ERROR: down"));
  const broken = { prepare: db.prepare.bind(db), batch: down, withSession: () => broken };
  Object.assign(env, { DB: broken });
  try {
    await work();
  } finally {
    Object.assign(env, { DB: db });
  }
}

describe("a decision", () => {
  it("is about the delivery that was seen, and no later one", async () => {
    const feed = await servedFeed();
    const seen = await deliver(feed, 7_000, 1);
    const later = await deliver(feed, 1_000_000, 2);
    const object = feedObject(env, feed.id);
    expect(await object.approve(admin, seen, null)).toMatchObject({ refusal: { code: "conflict" } });
    expect(await object.discard(admin, seen)).toMatchObject({ refusal: { code: "conflict" } });
    await live(feed.id);
    expect(await priceNow()).toBe(2_000);
    expect(await object.discard(admin, later)).toEqual({ ok: true, value: null });
    await object.remove();
  });

  it("is no longer possible once the shop serves the applied file again", async () => {
    const feed = await servedFeed();
    const seen = await deliver(feed, 7_000, 1);
    await publish(feed.path, { body: lamps(20) });
    await live(feed.id, NOW + 2 * DAY);
    expect((await statusOf(feed.id)).held).toBeNull();
    expect(await feedObject(env, feed.id).approve(admin, seen, null)).toMatchObject({
      refusal: { code: "conflict" },
    });
    await feedObject(env, feed.id).remove();
  });

  it("does not pass over to a file that is fetched afterwards", async () => {
    const feed = await servedFeed();
    const seen = await deliver(feed, 2_000, 1);
    await publish(feed.path, { body: lamps(9_000) });
    await feedObject(env, feed.id).approve(admin, seen, null);
    await withoutD1(() => runDurableObjectAlarm(feedObject(env, feed.id)));
    await live(feed.id, NOW + DAY + HOUR);
    expect(await priceNow()).toBe(200_000);
    await feedObject(env, feed.id).remove();
  });

  it("leaves no staged rows behind, whatever becomes of the deliveries", async () => {
    const feed = await servedFeed();
    for (const day of [1, 2, 3]) {
      await deliver(feed, 3_000 * 10 ** day, day);
      expect(await stagedRows()).toBe(0);
    }
    await feedObject(env, feed.id).remove();
    expect(await stagedRows()).toBe(0);
  });
});

it("is fetched again at once if an admin wants it, while it waits for its retry", async () => {
  const feed = await servedFeed();
  await publish(feed.path, { status: 503, body: "busy" });
  vi.setSystemTime(NOW + DAY);
  await live(feed.id);
  expect((await statusOf(feed.id)).retry).not.toBeNull();
  await publish(feed.path, { body: lamps(21) });
  expect(await feedObject(env, feed.id).run()).toEqual({ ok: true, value: null });
  await live(feed.id);
  expect(await priceNow()).toBe(2_100);
  await feedObject(env, feed.id).remove();
});

it.each(["ZZZ", "?!", ""])("takes no currency %s", (currency) => {
  expect(optionsSchema.safeParse({ currency }).success).toBe(false);
  expect(optionsSchema.parse({ currency: "eur" }).currency).toBe("EUR");
});

describe("removing a feed", () => {
  it("is tried again if D1 fails", async () => {
    const { id } = await servedFeed();
    const prepare = env.DB.prepare.bind(env.DB);
    const spy = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (sql.startsWith("DELETE FROM feeds")) throw new Error("D1_ERROR: down");
      return prepare(sql);
    });
    await feedObject(env, id).remove();
    spy.mockRestore();
    expect(await feedRow(id)).not.toBeNull();
    expect(await feedObject(env, id).status()).toMatchObject({ refusal: { code: "not_found" } });
    await evictDurableObject(feedObject(env, id));
    await live(id, NOW + HOUR);
    expect(await feedRow(id)).toBeNull();
  });

  it("is not undone by a row that is written meanwhile", async () => {
    const { id } = await servedFeed();
    await feedObject(env, id).pause();
    const batch = env.DB.batch.bind(env.DB);
    const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    vi.spyOn(env.DB, "batch").mockImplementation(async (given) => {
      reached.resolve();
      await gate.promise;
      return batch(given);
    });
    const ringing = runDurableObjectAlarm(feedObject(env, id));
    await reached.promise;
    await feedObject(env, id).remove();
    gate.resolve();
    await ringing;
    vi.restoreAllMocks();
    expect(await feedRow(id)).toBeNull();
    const alarm = await runInDurableObject(feedObject(env, id), (_, state) => state.storage.getAlarm());
    expect(alarm).toBeNull();
  });
});

it("rings again after an eviction, also if the alarm was lost", async () => {
  const { id } = await servedFeed();
  await runInDurableObject(feedObject(env, id), (_, state) => state.storage.deleteAlarm());
  await evictDurableObject(feedObject(env, id));
  await statusOf(id);
  const alarm = await runInDurableObject(feedObject(env, id), (_, state) => state.storage.getAlarm());
  expect(alarm).toBe(NOW + DAY);
  await feedObject(env, id).remove();
});

it("tries less and less often while the server itself is not in order", async () => {
  const { id } = await servedFeed();
  await feedObject(env, id).run();
  Object.assign(env, { SECRET_KEY: "short" });
  const rung = await live(id, NOW + HOUR);
  Reflect.deleteProperty(env, "SECRET_KEY");
  expect(rung).toBeLessThan(20);
  await feedObject(env, id).remove();
});

describe("an upload", () => {
  const file = "sku,name,category,price,currency\nUPLOADED-1,Lamp,Home,1.99,EUR\n";
  const madeSchema = z.object({ id: z.string() });
  async function begin() {
    const key = await keyOf(["admin"]);
    const { id } = madeSchema.parse(await (await api(key, "POST", "/uploads", { name: "lamps.csv" })).json());
    const put = async (n: string, body: string) =>
      (await send(`/admin/api/uploads/${id}/pieces/${n}`, { method: "PUT", headers: bearer(key), body }))
        .status;
    const end = async (n: number) => (await api(key, "POST", `/uploads/${id}/pieces/${n}/end`)).status;
    return { id, put, end };
  }

  it("survives a database that is down", async () => {
    const { id, put, end } = await begin();
    expect(await put("0", file)).toBe(200);
    expect(await end(1)).toBe(200);
    await withoutD1(() => runDurableObjectAlarm(feedObject(env, id)));
    await live(id, NOW + HOUR);
    expect((await statusOf(id)).held?.report?.rows).toBe(1);
  });

  it.each(["x", "-1", "0.5", "1024", "1e15"])("has no piece %s", async (n) => {
    const { put } = await begin();
    expect(await put(n, "a")).toBe(400);
  });

  it("with a gap is not read", async () => {
    const { put, end } = await begin();
    expect(await put("0", file)).toBe(200);
    expect(await put("2", "UPLOADED-2,Lamp,Home,1.99,EUR\n")).toBe(200);
    expect(await end(2)).toBe(409);
    expect(await put("1", "UPLOADED-3,Lamp,Home,1.99,EUR\n")).toBe(200);
    expect(await end(3)).toBe(200);
  });

  it("stores nothing past its limit", async () => {
    const { id } = await begin();
    const feed = feedObject(env, id);
    const piece = new Uint8Array(1024 * 1024);
    const codes = [];
    for (let n = 0; n < 66; n++) codes.push((await feed.receive(n, piece)).ok);
    expect(codes.filter(Boolean)).toHaveLength(64);
    expect(await feed.receive(63, piece)).toMatchObject({ ok: true });
    expect(await feed.received(66)).toMatchObject({ refusal: { code: "conflict" } });
  }, 60_000);
});
