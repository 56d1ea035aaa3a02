import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { feedObject } from "../../../src/feeds/feed-client.ts";
import { feedUrl, shownUrl } from "../../../src/feeds/feed-url.ts";
import { loopback } from "../../../src/validation/public-url.ts";
import { api } from "../identity/support/admin-api.ts";
import { keyOf, newUser } from "../identity/support/people.ts";
import {
  DAY,
  HOUR,
  NOW,
  catalog,
  deliveriesOf,
  googleFeed,
  live,
  newFeed,
  newPath,
  publish,
  requestsTo,
  statusOf,
  urlOf,
  useShop,
} from "./support.ts";

const hook = useShop();

let admin: string;
beforeAll(async () => {
  admin = await newUser(["admin"]);
});

const lamps = (count: number, price = 20) =>
  Array.from({ length: count }, (_, index) => ({
    id: `lamp-${String(index).padStart(4, "0")}`,
    title: `Lamp ${index}`,
    price: `${price + (index % 7)} EUR`,
  }));

const outcomesOf = async (id: string) => (await deliveriesOf(id)).map(([outcome]) => outcome);

describe("one wake", () => {
  it("stays far below D1's statements for one invocation, however large the feed", async () => {
    const path = newPath();
    await publish(path, { body: googleFeed(lamps(12_000)) });
    const id = await newFeed(path);
    const wakes: number[] = [];
    const batch = env.DB.batch.bind(env.DB);
    let statements = 0;
    let values = 0;
    vi.spyOn(env.DB, "batch").mockImplementation((given) => {
      statements += given.length;
      return batch(given);
    });
    const prepare = env.DB.prepare.bind(env.DB);
    let longest = 0;
    vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      longest = Math.max(longest, sql.length);
      const statement = prepare(sql);
      const bind = statement.bind.bind(statement);
      vi.spyOn(statement, "bind").mockImplementation((...given) => {
        values = Math.max(values, given.length, ...given.map((value) => String(value).length / 20_000));
        return bind(...given);
      });
      return statement;
    });
    for (;;) {
      statements = 0;
      if (!(await runDurableObjectAlarm(feedObject(env, id)))) break;
      wakes.push(statements);
      if ((await statusOf(id)).phase === null) break;
    }
    vi.restoreAllMocks();
    expect(Object.keys(await catalog()).length).toBeGreaterThanOrEqual(12_000);
    expect(wakes.length).toBeGreaterThan(1);
    expect(Math.max(...wakes)).toBeLessThan(500);
    expect(longest).toBeLessThan(100_000);
    // Bound parameters, and characters of one value in units of 20,000: at most 100 and 2 MB.
    expect(values).toBeLessThan(100);
    await feedObject(env, id).remove();
    await env.DB.prepare("DELETE FROM products").run();
  }, 120_000);
});

describe("a feed", () => {
  it("goes on after its object was reset in the middle of the import", async () => {
    const path = newPath();
    await publish(path, { body: googleFeed(lamps(6_000)) });
    const id = await newFeed(path);
    let isOver = false;
    for (let wake = 0; wake < 40 && !isOver; wake++) {
      await runDurableObjectAlarm(feedObject(env, id));
      const { phase } = await statusOf(id);
      isOver = phase === null;
      // A second later, an object that was reset goes on.
      vi.setSystemTime(Date.now() + 10_000);
      if (wake < 3) await evictDurableObject(feedObject(env, id));
    }
    await live(id);
    expect(await outcomesOf(id)).toEqual(["applied"]);
    expect(Object.keys(await catalog())).toHaveLength(6_000);
    await feedObject(env, id).remove();
  }, 120_000);

  it("keeps the old catalog while D1 is down, and applies the delivery afterwards", async () => {
    const path = newPath();
    await publish(path, { body: googleFeed(lamps(60)) });
    const id = await newFeed(path);
    await live(id);
    const before = await catalog();
    await publish(path, { body: googleFeed(lamps(60, 21)) });
    vi.setSystemTime(NOW + DAY);
    const batch = env.DB.batch.bind(env.DB);
    let failures = 0;
    vi.spyOn(env.DB, "batch").mockImplementation((statements) => {
      // The apply is the batch that comes after the comparison.
      if (statements.length > 8 && failures < 2) {
        failures++;
        return Promise.reject(new Error("D1_ERROR: Network connection lost."));
      }
      return batch(statements);
    });
    await runDurableObjectAlarm(feedObject(env, id));
    await runDurableObjectAlarm(feedObject(env, id));
    expect(failures).toBeGreaterThan(0);
    expect(await catalog()).toEqual(before);
    await live(id, NOW + DAY + HOUR);
    expect(failures).toBe(2);
    expect((await catalog())["lamp-0000"]).toBe(2_100);
    expect(await outcomesOf(id)).toEqual(["applied", "applied"]);
    await feedObject(env, id).remove();
  });

  it("waits for a person if too many prices change too much, and applies or discards", async () => {
    const path = newPath();
    await publish(path, { body: googleFeed(lamps(60)) });
    const id = await newFeed(path);
    await live(id);
    await publish(path, { body: googleFeed(lamps(60, 2_000)) });
    vi.setSystemTime(NOW + DAY);
    await live(id);
    expect((await catalog())["lamp-0000"]).toBe(2_000);
    const { held } = await statusOf(id);
    expect(held?.report?.reasons).toEqual(["prices"]);
    expect(held?.report?.price_jumps[0]).toMatchObject({ before: 2_000, after: 200_000 });
    // The same contents ask nobody a second time.
    vi.setSystemTime(NOW + 2 * DAY);
    await live(id);
    expect(await outcomesOf(id)).toEqual(["applied", "waiting"]);
    expect(await feedObject(env, id).approve(admin, held?.id ?? "", null)).toEqual({
      ok: true,
      value: null,
    });
    await live(id);
    expect((await catalog())["lamp-0000"]).toBe(200_000);
    expect(await outcomesOf(id)).toEqual(["applied", "applied"]);
    expect(await feedObject(env, id).discard(admin, held?.id ?? "")).toMatchObject({ ok: false });
    await feedObject(env, id).remove();
    expect(await feedObject(env, id).status()).toMatchObject({ ok: false, refusal: { code: "not_found" } });
  });

  it("fetches a broken delivery again, and gives up with a message", async () => {
    const path = newPath();
    await publish(path, { status: 503, body: "busy" });
    const id = await newFeed(path);
    await live(id);
    expect((await requestsTo(path)).length).toBe(1);
    await live(id, NOW + DAY - HOUR);
    expect((await requestsTo(path)).length).toBe(4);
    expect(await outcomesOf(id)).toEqual(["failed"]);
    const last = (await hook.messages()).findLast(({ data }) => data.source === id);
    expect(last?.data.problem).toContain("503");
    await feedObject(env, id).remove();
  });

  it.each([
    ["a feed that is cut off in its XML", googleFeed(lamps(50)).slice(0, 3_000)],
    ["a page instead of a feed", "<!doctype html><title>Maintenance</title><p>Back soon"],
    ["an empty feed", googleFeed([])],
  ])("keeps the catalog whole for %s", async (_, body) => {
    const path = newPath();
    await publish(path, { body: googleFeed(lamps(50)) });
    const id = await newFeed(path, { remove_missing: true });
    await live(id);
    const before = await catalog();
    await publish(path, { body });
    vi.setSystemTime(NOW + DAY);
    await live(id, NOW + DAY + 12 * HOUR);
    expect(await catalog()).toEqual(before);
    expect((await outcomesOf(id)).at(-1)).toBe("failed");
    await feedObject(env, id).remove();
  });
});

it("a delivery skips a product of more than 2 MiB in a JSON list, and reads the others", async () => {
  const item = (sku: string, padding: number) =>
    `{"sku":"${sku}","name":"Pan","category":"Home","price_minor":100,"currency":"EUR"${" ".repeat(padding)}}`;
  const path = newPath(".json");
  const mib = 1024 * 1024;
  await publish(path, { body: `[${item("J-1", 0)},${item("J-2", 3 * mib)},${item("J-3", mib)}]` });
  const id = await newFeed(path, { from: "plain" });
  await live(id);
  const { results } = await env.DB.prepare("SELECT report FROM deliveries WHERE source = ?")
    .bind(id)
    .all<{ report: string }>();
  expect(JSON.parse(results[0]?.report ?? "")).toMatchObject({
    report: { rows: 2, bad: 1, bad_rows: [{ line: 2, problem: `is longer than ${2 * mib} bytes` }] },
  });
  expect(Object.keys(await catalog())).toEqual(expect.arrayContaining(["J-1", "J-3"]));
  await feedObject(env, id).remove();
});

describe("a feed's URL", () => {
  it.each([
    "http://shop.example/feed.xml",
    "https://localhost/feed.xml",
    "https://10.0.0.7/feed.xml",
    "https://[::1]/feed.xml",
    "https://intranet/feed.xml",
    "https://shop.internal/feed.xml",
    "https://shop.example:8443/feed.xml",
    "file:///etc/passwd",
    "https://shop:50%off@shop.example/feed.xml",
    "https://shop%:secret@shop.example/feed.xml",
    "https://shop:%ff@shop.example/feed.xml",
  ])("must not be %s", (url) => {
    loopback.isAllowed = false;
    expect(feedUrl(url)).toBeUndefined();
  });

  it("may hold credentials, which nobody sees", () => {
    const feed = feedUrl("https://shop:secret@shop.example/feeds/google.xml?token=secret");
    expect(feed?.authorization).toBe(`Basic ${btoa("shop:secret")}`);
    expect(feed && shownUrl(feed.url)).toBe("shop.example/feeds/google.xml");
  });

  it("may have a percent sign in its password, written as a code", () => {
    const feed = feedUrl("https://shop:50%25off@shop.example/feed.xml");
    expect(feed?.authorization).toBe(`Basic ${btoa("shop:50%off")}`);
  });

  it("is refused by the API if its credentials can't be read", async () => {
    const url = "https://shop:50%off@shop.example/feed.xml";
    const answer = await api(await keyOf(["admin"]), "POST", "/feeds", { url, every_minutes: 60 });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "invalid_arguments" });
  });

  it("is not followed to a private address", async () => {
    const [path, inside] = [newPath(), newPath()];
    await publish(inside, { body: googleFeed(lamps(3)) });
    await publish(path, {
      status: 302,
      headers: { location: urlOf(inside).replace("127.0.0.1", "localhost") },
    });
    const id = await newFeed(path);
    await live(id, NOW + DAY - HOUR);
    expect(await requestsTo(inside)).toEqual([]);
    expect(await outcomesOf(id)).toEqual(["failed"]);
    await feedObject(env, id).remove();
  });
});
