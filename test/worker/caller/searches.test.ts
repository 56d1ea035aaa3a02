import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readSearches } from "../../../src/admin/search-list.ts";
import { dropSearches, foldSearches, searchRow } from "../../../src/caller/audit/searches.ts";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { bearer, post } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { DAY_MS, admission, newObject, settlement } from "../support/admission.ts";
import { fill, product } from "../support/catalog.ts";
import { recordsOf } from "../support/caller.ts";
import { modern } from "../support/modern.ts";

const NOON = Math.floor(1_800_000_000_000 / DAY_MS) * DAY_MS + DAY_MS / 2;
const DAYS = 30;

beforeEach(async () => {
  await ensureMigrated(env.DB);
  await env.DB.prepare("DELETE FROM searches").run();
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Caller = ReturnType<typeof newObject>;
/** Makes one search that is answered with so many products, and anchors the chain. */
async function search({ principal, object }: Caller, args: object, records = 3, outcome = "ok") {
  const limit = { max: 1_000, windowMs: 60_000 };
  const attempt = { name: "search_products", roles: ["shopper"], arguments: JSON.stringify(args) };
  const answer = await object.admit(admission(principal, { limit, attempt }));
  if (!answer.admitted) throw new Error("The call was refused.");
  await object.settle({ ...settlement(answer.seq), outcome, records });
  await object.anchor();
}
const callers = (count: number) => Array.from({ length: count }, () => newObject());
const rows = async () =>
  searchRow.array().parse((await env.DB.prepare("SELECT * FROM searches").all()).results);
const shown = (now = Date.now()) => readSearches(env.DB, { days: DAYS, now, size: 100 });

describe("searches in aggregate", () => {
  it("keep and show the words from the third distinct caller on, in any order and number", async () => {
    const [ada, ben, eve] = callers(3);
    if (ada === undefined || ben === undefined || eve === undefined) throw new Error("no caller");
    for (let time = 0; time < 4; time++) await search(ada, { query: "Red  lamp!" });
    await search(ben, { query: "lamps red" });
    expect((await rows()).map(({ words }) => words)).toEqual([null]);
    expect(JSON.stringify(await rows())).not.toMatch(/lamp/i);
    expect(await shown()).toEqual({ frequent: [], empty: [] });
    await search(eve, { query: "red lamp" });
    expect(await shown()).toEqual({
      frequent: [{ words: "red lamp", callers: 3, empty: 0 }],
      empty: [],
    });
  });

  it("hold no caller, and tokens that differ from search to search", async () => {
    const [ada] = callers(1);
    if (ada === undefined) throw new Error("no caller");
    await search(ada, { query: "hammer" });
    await search(ada, { query: "nails" });
    const tokens = (await rows()).flatMap((row) => Object.keys(row.callers));
    expect(new Set(tokens).size).toBe(2);
    expect(JSON.stringify(await rows())).not.toContain(ada.principal);
  });

  it("name those that found nothing for three callers, without filters", async () => {
    for (const caller of callers(3)) {
      await search(caller, { query: "unicorn saddle" }, 0);
      await search(caller, { query: "cheap chair", max_price: 1 }, 0);
      await search(caller, { query: "cheap table", redacted: 1 }, 0);
    }
    const { frequent, empty } = await shown();
    expect(frequent).toHaveLength(3);
    expect(empty).toEqual([{ words: "unicorn saddle", callers: 3, empty: 3 }]);
    // A search counts as its last answer.
    for (const caller of callers(3)) await search(caller, { query: "unicorn saddle" }, 2);
    expect((await shown()).empty).toEqual([{ words: "unicorn saddle", callers: 6, empty: 3 }]);
  });

  it.each([
    ["an e-mail address", "ada@example.com order"],
    ["a phone number", "+49 (30) 555-1234"],
    ["a card number", "4111 1111 1111 1111"],
    ["a long number in a word", "customer12345678"],
    ["a date of birth", "born 1980-01-31"],
    ["a card number between commas", "4111,1111,1111,1111"],
    ["a number between colons", "lock 12:34:56:78"],
    ["a number between signs and spaces", "4111 _ | 1111 ;;; 1111"],
    ["a number in Arabic digits", "\u0664\u0661\u0661\u0661\u0661\u0661"],
    ["a number in Arabic digits between signs", "\u0664\u0661/\u0661\u0661/\u0661\u0661"],
    ["a number in Devanagari digits", "\u096a\u0967\u0967\u0967\u0967\u0967"],
    ["a number in wide digits", "\uff14\uff11\uff11\uff11\uff11\uff11"],
    ["a number with marks on its digits", "4\u03011\u03011\u03011\u03011\u03011"],
    ["a key", "sk4f8ah2kd8fjw9dk3lfa8shf8w"],
    ["a letter", "please find the red lamp that my neighbour Kim bought last week"],
    ["no word", "!!!"],
  ])("leave out %s, whoever searches for it", async (_, query) => {
    for (const caller of callers(3)) await search(caller, { query });
    expect(await rows()).toEqual([]);
  });

  it.each([
    ["usb 3.2 hub 1000", "usb 3 2 hub 1000"],
    ["iphone 15 256 gb", "iphone 15 256 gb"],
    ['monitor 27" 144 hz', "monitor 27 144 hz"],
    ["paper a4, 500 x 2", "paper a4 500 x 2"],
    ["lego 42115", "lego 42115"],
    ["1000w drill 12345", "1000w drill 12345"],
    ["ddr5 6000 cl30", "ddr5 6000 cl30"],
  ])("count numbers of up to five digits: %s", async (query, words) => {
    for (const caller of callers(3)) await search(caller, { query });
    expect((await rows()).map((row) => row.words)).toEqual([words]);
  });

  it("leave out calls that were refused, and texts that the policy redacts", async () => {
    for (const caller of callers(3)) {
      await search(caller, { query: "ladder" }, 0, "unavailable");
      await search(caller, { redacted: 1 });
    }
    expect(await rows()).toEqual([]);
  });

  it("count a call once, also after the object slept", async () => {
    const [ada] = callers(1);
    if (ada === undefined) throw new Error("no caller");
    await search(ada, { query: "rake" });
    const before = await rows();
    await evictDurableObject(ada.object);
    vi.setSystemTime(NOON + 3 * DAY_MS);
    await ada.object.anchor();
    expect(await rows()).toEqual(before);
  });

  it("are dropped caller by caller after 30 days, and no longer shown with fewer than three", async () => {
    const [ada, ben, eve] = callers(3);
    if (ada === undefined || ben === undefined || eve === undefined) throw new Error("no caller");
    await search(ada, { query: "spade" });
    vi.setSystemTime(NOON + 20 * DAY_MS);
    await search(ben, { query: "spade" });
    await search(eve, { query: "spade" });
    vi.setSystemTime(NOON + 29 * DAY_MS);
    expect((await shown()).frequent).toHaveLength(1);
    vi.setSystemTime(NOON + 30 * DAY_MS);
    expect((await shown()).frequent).toEqual([]);
    await dropSearches(env.DB, DAYS, Date.now());
    expect((await rows()).map((row) => [row.words, Object.keys(row.callers).length])).toEqual([[null, 2]]);
    await dropSearches(env.DB, DAYS, NOON + 60 * DAY_MS);
    expect(await rows()).toEqual([]);
  });

  it("are bounded: 100 callers of a search, 20 searches of an anchor, one row of a slot", async () => {
    const fold = (principal: string, texts: string[], now = NOON) =>
      foldSearches(
        env.DB,
        { principal, key: "k".repeat(32), days: DAYS, now },
        texts.map((text) => ({ shown: text, key: text, at: now, isEmpty: false })),
      );
    for (let caller = 0; caller < 103; caller++) await fold(`caller-${caller}`, ["lamp"]);
    expect((await shown(NOON)).frequent).toEqual([{ words: "lamp", callers: 100, empty: 0 }]);
    const many = Array.from({ length: 50 }, (_, index) => `word${index}`);
    await fold("flooder", many);
    const kept = await rows();
    expect(kept).toHaveLength(21);

    // Another search of the same slot waits until the one of a single caller is a day old, and never replaces a popular one.
    await env.DB.prepare("UPDATE searches SET search = 'another'").run();
    await fold("flooder", ["lamp", "word49"]);
    expect((await rows()).every((row) => row.search === "another")).toBe(true);
    await fold("flooder", ["lamp", "word49"], NOON + DAY_MS);
    expect((await rows()).filter((row) => row.search !== "another")).toHaveLength(1);
  });

  it("are read to be shown from the rows of the most callers alone, however many there are", async () => {
    // Every search has four callers, the most frequent five, and another found nothing for all of its four.
    const day = Math.floor(NOON / DAY_MS);
    await env.DB.prepare(
      `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 9999),
         c (c) AS (SELECT 1 UNION ALL SELECT c + 1 FROM c WHERE c < 5)
       INSERT INTO searches (slot, search, callers, words, oldest)
       SELECT n, 'search-' || n, json_group_object('caller-' || c, json_array(?1, iif(n = 7000, 1, 0))), 'word ' || n, ?1
       FROM n JOIN c ON c < 5 OR n = 9000 GROUP BY n`,
    )
      .bind(day)
      .run();
    const batch = env.DB.batch.bind(env.DB);
    let read = 0;
    vi.spyOn(env.DB, "batch").mockImplementation(async <T>(statements: D1PreparedStatement[]) => {
      const results = await batch<T>(statements);
      for (const { meta } of results) read += meta.rows_read;
      return results;
    });
    const { frequent, empty } = await readSearches(env.DB, { days: DAYS, now: NOON, size: 15 });
    expect(frequent).toHaveLength(15);
    expect(frequent[0]).toEqual({ words: "word 9000", callers: 5, empty: 0 });
    expect(frequent[1]).toMatchObject({ callers: 4 });
    expect(empty).toEqual([{ words: "word 7000", callers: 4, empty: 4 }]);
    expect(read).toBeGreaterThanOrEqual(15);
    expect(read).toBeLessThanOrEqual(1_000);
  });

  it("are ordered by their callers of the last days, also while D1 has older ones", async () => {
    const fold = (principal: string, text: string, now: number) =>
      foldSearches(env.DB, { principal, key: "k".repeat(32), days: DAYS, now }, [
        { shown: text, key: text, at: now, isEmpty: true },
      ]);
    const later = NOON + DAYS * DAY_MS;
    for (let caller = 0; caller < 9; caller++) await fold(`caller-${caller}`, "old lamp", NOON);
    for (let caller = 0; caller < 3; caller++) await fold(`caller-${caller}`, "rarer lamp", later);
    for (let caller = 0; caller < 4; caller++) await fold(`caller-${caller}`, "new lamp", later);
    const expected = [{ words: "new lamp", callers: 4, empty: 4 }];
    expect(await readSearches(env.DB, { days: DAYS, now: later, size: 1 })).toEqual({
      frequent: expected,
      empty: expected,
    });
  });

  it("count none if the policy says 0 days", async () => {
    const counted = { principal: "x", key: "k".repeat(32), days: 0, now: NOON };
    await foldSearches(env.DB, counted, [{ shown: "lamp", key: "lamp", at: NOON, isEmpty: false }]);
    expect(await rows()).toEqual([]);
  });
});

it("a search over MCP is counted, and one that finds nothing is known as such", async () => {
  await fill([product({ sku: "COUNTED-1", name: "Purple stapler" })]);
  for (let caller = 0; caller < 3; caller++) {
    const user = await newUser();
    const { secret } = await newKey(user);
    const object = env.USER_WINDOWS.getByName(user);
    const queries = ["purple stapler", "zebra stapler"];
    for (const query of queries) {
      const { body, headers } = modern("tools/call", { name: "search_products", arguments: { query } });
      expect((await post(body, { ...headers, ...bearer(secret) })).status).toBe(200);
    }
    await vi.waitFor(async () =>
      expect((await recordsOf(object)).filter(({ kind }) => kind === "outcome")).toHaveLength(queries.length),
    );
    await object.anchor();
  }
  const { frequent } = await shown();
  expect(frequent.map(({ words, empty }) => [words, empty])).toContainEqual(["purple stapler", 0]);
});
