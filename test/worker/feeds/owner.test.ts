import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { FEEDS_MAX } from "../../../src/feeds/feed-rows.ts";
import { feedObject } from "../../../src/feeds/feed-client.ts";
import { sealText } from "../../../src/identity/sealed-text.ts";
import { secretKeyOf } from "../../../src/setup/secret-key.ts";
import { api } from "../identity/support/admin-api.ts";
import { signedIn } from "../identity/support/browser.ts";
import { keyOf, newKey, newUser } from "../identity/support/people.ts";
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

// The owner of a feed, and the lists that show its failures.

const hook = useShop();
const cups = (price: number) => googleFeed([{ id: "cup-1", title: "Cup", price: `${price} EUR` }]);
const priceNow = async () => (await catalog())["cup-1"];
const feedsSchema = z.object({
  feeds: z.array(
    z.looseObject({
      id: z.string(),
      created_by: z.string(),
      paused_at: z.string().nullable(),
      outcome: z.string().nullable(),
      problem: z.string().nullable(),
    }),
  ),
});
async function listed(key: string, id: string) {
  const { feeds } = feedsSchema.parse(await (await api(key, "GET", "/feeds")).json());
  return feeds.find((feed) => feed.id === id);
}
afterEach(async () => {
  const { results } = await env.DB.prepare("SELECT id FROM feeds").all<{ id: string }>();
  for (const { id } of results) await feedObject(env, id).remove();
});

/** A feed that was applied once, with a new price a day later. */
async function feedOf(owner: string): Promise<{ id: string; path: string }> {
  await env.DB.prepare("DELETE FROM products").run();
  const path = newPath();
  await publish(path, { body: cups(20) });
  const id = await newFeed(path, {}, owner);
  await live(id);
  expect(await priceNow()).toBe(2_000);
  await publish(path, { body: cups(21) });
  return { id, path };
}

describe("a feed whose owner", () => {
  it.each([
    ["is disabled", (key: string, owner: string) => api(key, "POST", `/users/${owner}/disable`)],
    ["is deleted", (key: string, owner: string) => api(key, "DELETE", `/users/${owner}`)],
    [
      "is no admin any more",
      (key: string, owner: string) => api(key, "PUT", `/users/${owner}/roles`, { roles: ["shopper"] }),
    ],
  ])("%s is not fetched, says why, and belongs to the admin who resumes it", async (_, lose) => {
    const owner = await newUser(["admin"]);
    const other = await newUser(["admin"]);
    const key = (await newKey(other)).secret;
    const { id, path } = await feedOf(owner);
    const asked = (await requestsTo(path)).length;
    expect((await lose(key, owner)).status).toBeLessThan(300);
    await live(id, NOW + DAY + HOUR);
    expect((await requestsTo(path)).length).toBe(asked);
    expect(await priceNow()).toBe(2_000);
    expect(await listed(key, id)).toMatchObject({
      created_by: owner,
      paused_at: expect.any(String),
      outcome: "failed",
      problem: expect.stringContaining(owner),
    });
    const told = (await hook.messages()).filter(({ data }) => data.source === id);
    expect(told.map(({ data }) => data.outcome)).toEqual(["failed"]);
    await live(id, NOW + 3 * DAY);
    expect((await requestsTo(path)).length).toBe(asked);

    expect((await api(key, "POST", `/feeds/${id}/resume`)).status).toBe(200);
    await live(id);
    expect(await priceNow()).toBe(2_100);
    expect(await listed(key, id)).toMatchObject({ created_by: other, paused_at: null, outcome: "applied" });
  });

  it("is disabled in the database itself is not fetched when an import begins", async () => {
    const owner = await newUser(["admin"]);
    const { id } = await feedOf(owner);
    await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE id = ?").bind(owner).run();
    await feedObject(env, id).run();
    await live(id);
    expect(await priceNow()).toBe(2_000);
    expect((await statusOf(id)).paused).toBe(true);
  });

  it("can't be asked for, because D1 fails, is fetched once it can", async () => {
    const { id } = await feedOf(await newUser(["admin"]));
    const prepare = env.DB.prepare.bind(env.DB);
    const spy = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (sql.includes("FROM users u")) throw new Error("D1_ERROR: down");
      return prepare(sql);
    });
    await live(id, NOW + DAY);
    expect(await priceNow()).toBe(2_000);
    expect((await deliveriesOf(id)).at(-1)?.[0]).toBe("retrying");
    spy.mockRestore();
    await live(id, NOW + DAY + HOUR);
    expect(await priceNow()).toBe(2_100);
  });
});

it("a delivery whose approver is no admin any more is not applied, and its feed goes on", async () => {
  const approver = await newUser(["admin"]);
  const { id, path } = await feedOf(await newUser(["admin"]));
  await publish(path, { body: googleFeed([{ id: "cup-1", title: "Cup", price: "4000 EUR" }]) });
  await live(id, NOW + DAY);
  const { held } = await statusOf(id);
  await feedObject(env, id).approve(approver, held?.id ?? "", null);
  await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE id = ?").bind(approver).run();
  await live(id);
  expect(await priceNow()).toBe(2_000);
  expect((await deliveriesOf(id)).at(-1)).toEqual(["failed", expect.stringContaining(approver)]);
  expect((await statusOf(id)).paused).toBe(false);
});

it("an import stops at its next wake once its owner is no admin any more", async () => {
  const owner = await newUser(["admin"]);
  const { id, path } = await feedOf(owner);
  const many = Array.from({ length: 6_000 }, (_, each) => ({
    id: `cup-${each}`,
    title: "Cup",
    price: "21 EUR",
  }));
  await publish(path, { body: googleFeed(many) });
  vi.setSystemTime(NOW + DAY);
  await runDurableObjectAlarm(feedObject(env, id));
  await runDurableObjectAlarm(feedObject(env, id));
  expect((await statusOf(id)).phase).toBe("reading");
  await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE id = ?").bind(owner).run();
  await live(id);
  expect(await catalog()).toEqual({ "cup-1": 2_000 });
  expect((await statusOf(id)).paused).toBe(true);
});

describe("the first failed attempt", () => {
  const pages = ["/admin/catalog", "/admin/catalog/feeds"];
  async function shown(key: string, problem: string) {
    // A session lasts no day.
    const admin = await signedIn(key);
    return Promise.all(
      pages.map(async (path) => (await (await admin.request(path)).text()).includes(problem)),
    );
  }

  it("is in the lists, and gone from them once a later attempt succeeds or finds nothing new", async () => {
    const key = await keyOf(["admin"]);
    const { id, path } = await feedOf(await newUser(["admin"]));
    await publish(path, { status: 503, body: "busy" });
    await live(id, NOW + DAY);
    expect(await listed(key, id)).toMatchObject({
      outcome: "retrying",
      problem: expect.stringContaining("503"),
    });
    expect(await shown(key, "answered HTTP 503")).toEqual([true, true]);
    expect(await hook.messages()).not.toContainEqual(
      expect.objectContaining({ data: expect.objectContaining({ source: id }) }),
    );
    await publish(path, { body: cups(20) });
    await live(id, NOW + DAY + HOUR);
    expect(await listed(key, id)).toMatchObject({ outcome: "unchanged", problem: null });
    expect(await shown(key, "answered HTTP 503")).toEqual([false, false]);
    await publish(path, { status: 503, body: "busy" });
    await live(id, NOW + 2 * DAY);
    await publish(path, { body: cups(22) });
    await live(id, NOW + 2 * DAY + HOUR);
    expect(await listed(key, id)).toMatchObject({ outcome: "applied", problem: null });
  });
});

it("adds no feed too many, however many are added at once", async () => {
  const key = await keyOf(["admin"]);
  const owner = await newUser(["admin"]);
  for (let each = 0; each < FEEDS_MAX - 1; each++) await newFeed(newPath(), {}, owner);
  const body = { url: urlOf(newPath()), every_minutes: 60 };
  const answers = await Promise.all([1, 2, 3, 4].map(() => api(key, "POST", "/feeds", body)));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
  expect(await env.DB.prepare("SELECT count(*) AS n FROM feeds").first("n")).toBe(FEEDS_MAX);
});

it("removes a row that is left without its feed", async () => {
  const key = await keyOf(["admin"]);
  const id = await newFeed(newPath(), {}, await newUser(["admin"]));
  await runInDurableObject(feedObject(env, id), async (_, state) => {
    await state.storage.deleteAll();
  });
  await runInDurableObject(feedObject(env, id), (_, state) => state.abort()).catch(() => {});
  expect((await api(key, "DELETE", `/feeds/${id}`)).status).toBe(200);
  expect(await listed(key, id)).toBeUndefined();
  expect((await api(key, "DELETE", `/feeds/${id}`)).status).toBe(404);
});

it("reads a URL that an earlier build sealed as it seals answers", async () => {
  const { id, path } = await feedOf(await newUser(["admin"]));
  const secret = await secretKeyOf(env);
  const asBefore = sealText(urlOf(path), { purpose: "sealed refresh answer", secret, owner: id });
  await runInDurableObject(feedObject(env, id), (_, { storage }) => {
    storage.sql.exec("UPDATE state SET json = json_set(json, '$.sealedUrl', ?)", asBefore);
  });
  await runInDurableObject(feedObject(env, id), (_, state) => state.abort()).catch(() => {});
  await live(id, NOW + DAY);
  expect(await priceNow()).toBe(2_100);
});
