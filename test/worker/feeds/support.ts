import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, inject, vi } from "vitest";
import * as z from "zod";
import { feedObject, newId } from "../../../src/feeds/feed-client.ts";
import { optionsSchema } from "../../../src/feeds/options.ts";
import { loopback } from "../../../src/validation/public-url.ts";
import { newUser } from "../identity/support/people.ts";
import type { FeedAnswer } from "../../node/support/feed-server.ts";

export const NOW = 1_800_000_000_000;
export const HOUR = 60 * 60_000;
export const DAY = 24 * HOUR;

/** A real bucket of Miniflare's. */
export const bucket: R2Bucket = Reflect.get(env, "TEST_BUCKET");

const server = inject("feedServer");
let names = 0;
/** A path of the shop's server that no other test uses. */
export const newPath = (end = ".xml") => `/shop-${(names += 1)}-${crypto.randomUUID().slice(0, 6)}${end}`;
export const urlOf = (path: string) => `${server}${path}`;

/** Says what the shop's server answers at a path. */
export const publish = (path: string, answer: FeedAnswer) =>
  fetch(urlOf(path), { method: "PUT", body: JSON.stringify(answer) });

const requestSchema = z.array(
  z.object({
    url: z.string().default(""),
    body: z.string().default(""),
    headers: z.record(z.string(), z.unknown()),
  }),
);
/** The requests that a path got. */
export const requestsTo = async (path: string) =>
  requestSchema.parse(await (await fetch(urlOf(`/requests${path}`))).json());

/** Lets the shop's server stand for a public one, with a fake clock in the future and a webhook at `hook`. */
export function useShop(hook = newPath("/hook")) {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOW });
    loopback.isAllowed = true;
    vi.spyOn(console, "error").mockImplementation(() => {});
    Object.assign(env, {
      INCIDENT_WEBHOOK_URL: urlOf(hook),
      INCIDENT_WEBHOOK_SECRET: `whsec_${btoa("x".repeat(32))}`,
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
    loopback.isAllowed = false;
    for (const name of ["INCIDENT_WEBHOOK_URL", "INCIDENT_WEBHOOK_SECRET"]) Reflect.deleteProperty(env, name);
  });
  return {
    messages: async () => (await requestsTo(hook)).map(({ body }) => messageSchema.parse(JSON.parse(body))),
  };
}
const messageSchema = z.object({
  type: z.string(),
  data: z.looseObject({ outcome: z.string(), problem: z.string().nullable(), source: z.string() }),
});

/** Adds a feed of a path that is fetched daily. */
export async function newFeed(path: string, options: object = {}, createdBy?: string): Promise<string> {
  const id = newId();
  const made = await feedObject(env, id).create({
    id,
    kind: "feed",
    name: path,
    url: urlOf(path),
    options: optionsSchema.parse({ from: "google", ...options }),
    everyMinutes: 24 * 60,
    createdBy: createdBy ?? (await newUser(["admin"])),
  });
  if (!made.ok) throw new Error(made.refusal.message);
  return id;
}

/** Outcomes and problems of a feed's deliveries, oldest first. */
export async function deliveriesOf(id: string): Promise<[outcome: string, problem: string | null][]> {
  const { results } = await env.DB.prepare(
    "SELECT outcome, report ->> 'problem' AS problem FROM deliveries WHERE source = ? ORDER BY started_at, id",
  )
    .bind(id)
    .all<{ outcome: string; problem: string | null }>();
  return results.map(({ outcome, problem }) => [outcome, problem]);
}

export async function statusOf(id: string) {
  const status = await feedObject(env, id).status();
  if (!status.ok) throw new Error(status.refusal.code);
  return status.value;
}

/** Moves the clock to each alarm of a feed until `end`, and lets it ring. Returns how often it rang. */
export async function live(id: string, end: number = Date.now()): Promise<number> {
  const feed = feedObject(env, id);
  for (let rung = 0; ; rung++) {
    const at = await runInDurableObject(feed, (_, state) => state.storage.getAlarm());
    if (at === null || at > end) {
      vi.setSystemTime(end);
      return rung;
    }
    if (at > Date.now()) vi.setSystemTime(at);
    await runDurableObjectAlarm(feed);
  }
}

export interface Item {
  id: string;
  title: string;
  price: string;
}
/** A Google feed. */
export const googleFeed = (items: readonly Item[]) =>
  `<?xml version="1.0"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>${items
    .map(
      ({ id, title, price }) =>
        `<item><g:id>${id}</g:id><g:title>${title}</g:title><g:price>${price}</g:price><g:availability>in_stock</g:availability><g:product_type>Home &gt; Lamps</g:product_type></item>`,
    )
    .join("\n")}</channel></rss>`;

/** The active products by SKU, with their price in minor units. */
export async function catalog(): Promise<Record<string, number>> {
  const { results } = await env.DB.prepare(
    "SELECT sku, price_minor FROM products WHERE status = 'active' ORDER BY sku",
  ).all<{ sku: string; price_minor: number }>();
  return Object.fromEntries(results.map(({ sku, price_minor }) => [sku, price_minor]));
}
