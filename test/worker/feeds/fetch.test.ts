import { describe, expect, it } from "vitest";
import { fetchFeed } from "../../../src/feeds/fetch-feed.ts";
import { newPath, publish, requestsTo, urlOf, useShop } from "./support.ts";

// A feed's server that leads elsewhere or does not end.

useShop();

/** Stores nothing. */
const NOWHERE = { write: async () => {}, end: async () => {}, onProgress: () => {}, max: 1024 * 1024 };

describe("a feed's URL", () => {
  it.each([
    "http://shop.example/",
    "https://10.0.0.1/",
    "https://[::ffff:7f00:1]/",
    "https://shop.internal/",
    "https://a:b@shop.example/",
    "ftp://shop.example/",
  ])("is not followed to %s", async (location) => {
    const path = newPath();
    await publish(path, { status: 302, headers: { location } });
    await expect(fetchFeed(urlOf(path), null, NOWHERE)).rejects.toThrow(/not https on a public name/);
  });

  it("is not followed round in circles, nor waited for without end", async () => {
    const path = newPath();
    await publish(path, { status: 302, headers: { location: urlOf(path) } });
    await expect(fetchFeed(urlOf(path), null, NOWHERE)).rejects.toThrow(/redirects more than/);
    expect(await requestsTo(path)).toHaveLength(6);
    await publish(path, { isSlow: true });
    await expect(fetchFeed(urlOf(path), null, { ...NOWHERE, timeout: 300 })).rejects.toThrow(/longer than/);
    await expect(fetchFeed(urlOf(path), null, { ...NOWHERE, max: 10 })).rejects.toThrow(/has more than/);
  });

  it.each([[{}], [{ "transfer-encoding": "chunked" }]])(
    "is taken up to the limit of bytes, and not a byte more: %j",
    async (headers) => {
      const path = newPath();
      await publish(path, { body: "x".repeat(5_000), headers });
      expect(await fetchFeed(urlOf(path), null, { ...NOWHERE, max: 5_000 })).toMatchObject({ bytes: 5_000 });
      await expect(fetchFeed(urlOf(path), null, { ...NOWHERE, max: 4_999 })).rejects.toThrow(/has more than/);
    },
  );

  it("is counted as it is stored, if the server compresses it", async () => {
    const path = newPath();
    await publish(path, { body: "x".repeat(5_000_000), headers: { "content-encoding": "gzip" } });
    let stored = 0;
    const storing = { ...NOWHERE, write: async (bytes: Uint8Array) => void (stored += bytes.length) };
    await expect(fetchFeed(urlOf(path), null, storing)).rejects.toThrow(/has more than/);
    expect(stored).toBeLessThanOrEqual(storing.max);
  });
});
