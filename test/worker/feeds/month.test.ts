import { expect, it, vi } from "vitest";
import * as z from "zod";
import { api } from "../identity/support/admin-api.ts";
import { signedIn } from "../identity/support/browser.ts";
import { keyOf } from "../identity/support/people.ts";
import {
  DAY,
  HOUR,
  NOW,
  catalog,
  googleFeed,
  live,
  newPath,
  publish,
  requestsTo,
  urlOf,
  useShop,
} from "./support.ts";

const hook = useShop();

const madeSchema = z.object({ id: z.string() });
const deliveriesSchema = z.object({
  deliveries: z.array(
    z.looseObject({
      id: z.string(),
      started_at: z.string(),
      outcome: z.string(),
      problem: z.string().nullable(),
      report: z.looseObject({ rows: z.int(), reasons: z.array(z.string()) }).nullable(),
    }),
  ),
});
const feedsSchema = z.object({ feeds: z.array(z.looseObject({ id: z.string(), name: z.string() })) });

const DAYS = 30;
/** The shop's products on a day: each gets a new price, and one goes and one comes every day. */
const itemsOf = (day: number) =>
  Array.from({ length: 40 }, (_, index) => ({
    id: `lamp-${day + index}`,
    title: `Lamp ${day + index}`,
    price: `${20 + index + day / 100} EUR`,
  }));
const pricesOf = (day: number) =>
  Object.fromEntries(itemsOf(day).map(({ id, price }) => [id, Math.round(Number.parseFloat(price) * 100)]));

/** Days on which the delivery breaks: its connection is cut, or it has lost most of its products. */
const CUT = 9;
const SHRUNK = 20;

it(
  "keeps a shop's feed served for a month with two broken deliveries in it",
  { timeout: 120_000 },
  async () => {
    const admin = await keyOf(["admin"]);
    const path = newPath();
    const publishDay = (day: number) => {
      const items = itemsOf(day);
      if (day === SHRUNK) return publish(path, { body: googleFeed(items.slice(0, 10)) });
      return publish(path, { body: googleFeed(items), isCut: day === CUT });
    };
    await publishDay(0);
    const added = await api(admin, "POST", "/feeds", {
      url: `${urlOf(path)}?token=secret-of-the-shop`,
      from: "google",
      every_minutes: 6 * 60,
      remove_missing: true,
    });
    expect(added.status).toBe(201);
    const { id } = madeSchema.parse(await added.json());

    /** Whether a page of the dashboard says it, on the evening of a day. */
    const says = async (page: string, words: string) =>
      (await (await (await signedIn(admin)).request(page)).text()).includes(words);
    const lists = ["/admin/catalog", "/admin/catalog/feeds", `/admin/catalog/feeds/${id}`];
    const isFresh: boolean[] = [];
    for (let day = 0; day < DAYS; day++) {
      vi.setSystemTime(NOW + day * DAY);
      await publishDay(day);
      await live(id, NOW + (day + 1) * DAY - HOUR);
      const served = await catalog();
      const isToday = JSON.stringify(served) === JSON.stringify(sorted(pricesOf(day)));
      isFresh.push(isToday);
      // On a broken day, the catalog of the day before is whole.
      if (!isToday) expect(served).toEqual(pricesOf(day - 1));
      if (day === CUT) {
        const found = await Promise.all(
          lists.map((page) => says(page, "The connection failed, or ended early.")),
        );
        expect(found).toEqual([true, true, true]);
      }
      if (day === SHRUNK) {
        const found = await Promise.all(lists.map((page) => says(page, "waits for you")));
        expect(found).toEqual([true, true, true]);
        expect(await says("/admin/catalog/feeds", "fewer than half of the products")).toBe(true);
      }
    }
    expect(await Promise.all(lists.slice(0, 2).map((page) => says(page, "waits for you")))).toEqual([
      false,
      false,
    ]);
    expect(isFresh.flatMap((fresh, day) => (fresh ? [] : [day]))).toEqual([CUT, SHRUNK]);

    // Both are found later, on the pages of the feed's deliveries.
    const browser = await signedIn(admin);
    let text = "";
    for (let page: string | undefined = `/admin/catalog/feeds/${id}`; page !== undefined;) {
      const html: string = await (await browser.request(page)).text();
      text += html;
      page = /href="([^"]+after=[^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(text).toContain("The connection failed, or ended early.");
    expect(text).toContain("replaced by a later one</span> It has fewer than half of the products");

    const { deliveries } = deliveriesSchema.parse(
      await (await api(admin, "GET", `/deliveries?source=${id}&limit=100`)).json(),
    );
    const byOutcome = Map.groupBy(deliveries, ({ outcome }) => outcome);
    expect(byOutcome.get("applied")).toHaveLength(DAYS - 2);
    const dayOf = ({ started_at }: { started_at: string }) =>
      Math.floor((Date.parse(started_at) - NOW) / DAY);
    expect(new Set(byOutcome.get("failed")?.map(dayOf))).toEqual(new Set([CUT]));
    // The next whole delivery took the place of the one that waited for a person.
    expect(
      byOutcome.get("superseded")?.map((each) => [dayOf(each), each.report?.rows, each.report?.reasons]),
    ).toEqual([[SHRUNK, 10, ["shrunk"]]]);

    const told = (await hook.messages()).map(({ type, data }) => [type, data.source, data.outcome]);
    expect(new Set(told.map((each) => each.join(" ")))).toEqual(
      new Set([`catalog.delivery ${id} failed`, `catalog.delivery ${id} waiting`]),
    );
    expect(told.filter(([, , outcome]) => outcome === "waiting")).toHaveLength(1);

    // Unchanged contents are not sent again, and nobody sees the feed's token.
    const asked = await requestsTo(path);
    expect(asked.filter(({ headers }) => "if-none-match" in headers).length).toBeGreaterThan(80);
    const { feeds } = feedsSchema.parse(await (await api(admin, "GET", "/feeds")).json());
    expect(JSON.stringify([feeds, deliveries, await hook.messages()])).not.toContain("secret-of-the-shop");
  },
);

const sorted = (prices: Record<string, number>) =>
  Object.fromEntries(Object.entries(prices).toSorted(([a], [b]) => (a < b ? -1 : 1)));
