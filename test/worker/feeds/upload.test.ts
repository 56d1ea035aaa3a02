import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import * as z from "zod";
import { StoredBytes } from "../../../src/feeds/stored-bytes.ts";
import { api } from "../identity/support/admin-api.ts";
import { bearer, send } from "../identity/support/deployed.ts";
import { keyOf, newKey, newUser } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";
import { DAY, NOW, catalog, live, useShop } from "./support.ts";

useShop();

const madeSchema = z.object({ id: z.string() });
const statusSchema = z.looseObject({
  phase: z.string().nullable(),
  held: z
    .looseObject({
      id: z.string(),
      report: z.looseObject({ rows: z.int(), bad: z.int(), examples: z.array(z.string()) }).nullable(),
      question: z.looseObject({ asks: z.string(), text: z.string() }).nullable(),
    })
    .nullable(),
});
const statusOf = async (key: string, id: string) =>
  statusSchema.parse(await (await api(key, "GET", `/uploads/${id}`)).json());

/** Applies or discards the file that waits. */
const decide = async (key: string, id: string, which: "apply" | "discard", choice: object = {}) => {
  const { held } = await statusOf(key, id);
  return (await api(key, "POST", `/uploads/${id}/${which}`, { delivery: held?.id, ...choice })).status;
};

/** Sends a file in pieces of some bytes, and reads it. */
async function upload(key: string, file: string | Uint8Array, options: object = {}): Promise<string> {
  const { id } = madeSchema.parse(
    await (await api(key, "POST", "/uploads", { name: "lamps.csv", ...options })).json(),
  );
  const bytes = typeof file === "string" ? new TextEncoder().encode(file) : file;
  const pieces = [bytes.subarray(0, 40), bytes.subarray(40)];
  for (const [n, piece] of pieces.entries())
    await send(`/admin/api/uploads/${id}/pieces/${n}`, { method: "PUT", headers: bearer(key), body: piece });
  expect((await api(key, "POST", `/uploads/${id}/pieces/3/end`)).status).toBe(409);
  expect((await api(key, "POST", `/uploads/${id}/pieces/2/end`)).status).toBe(200);
  await live(id);
  return id;
}

const lamps = (price: string) =>
  `sku,name,category,price,currency\n${[1, 2, 3, 4].map((each) => `UP-${price}-${each},Lamp ${each},Home,${price},EUR\n`).join("")}UP-bad,,,${price},EUR\n`;

it("asks for the unit of the prices, shows three products, and applies once an admin wants it", async () => {
  const before = await catalog();
  const user = await newUser(["admin"]);
  const key = (await newKey(user)).secret;
  const id = await upload(key, lamps("1999"));
  expect((await statusOf(key, id)).held?.question?.asks).toBe("prices");
  expect(await decide(key, id, "apply")).toBe(409);
  expect(await decide(key, id, "apply", { prices: "minor" })).toBe(200);
  await live(id);
  const { held } = await statusOf(key, id);
  expect(held?.report).toMatchObject({ rows: 4, bad: 1 });
  expect(held?.report?.examples).toHaveLength(3);
  expect(held?.report?.examples[0]).toContain("€19.99");
  expect(await catalog()).toEqual(before);
  expect(await decide(key, id, "apply")).toBe(200);
  await live(id);
  expect(await catalog()).toMatchObject({ "UP-1999-1": 1_999, "UP-1999-4": 1_999 });

  const names = (await recordsOf(env.USER_WINDOWS.getByName(user))).flatMap((record) =>
    record.kind === "attempt" ? [record.name] : [],
  );
  expect(names).toEqual(expect.arrayContaining(["admin.uploads.add", "admin.deliveries.apply"]));
});

it("says if most of the catalog would be discontinued", async () => {
  const key = await keyOf(["admin"]);
  const all = await upload(key, lamps("19.99").replace(/UP-bad.*\n/, ""));
  expect(await decide(key, all, "apply")).toBe(200);
  await live(all);
  const one = "sku,name,category,price,currency\nUP-19.99-1,Lamp 1,Home,19.99,EUR\n";
  const id = await upload(key, one, { remove_missing: true });
  expect((await statusOf(key, id)).held?.report).toMatchObject({ reasons: ["shrunk", "upload"] });
});

it("discards a file, and the catalog stays as it is", async () => {
  const key = await keyOf(["admin"]);
  const before = await catalog();
  const id = await upload(key, lamps("29.99"));
  expect((await statusOf(key, id)).held?.report).toMatchObject({ rows: 4 });
  expect(await decide(key, id, "discard")).toBe(200);
  await live(id);
  expect(await catalog()).toEqual(before);
  const { results } = await env.DB.prepare("SELECT outcome FROM deliveries WHERE source = ?").bind(id).all();
  expect(results).toEqual([{ outcome: "discarded" }]);
});

it("forgets a file that nobody decides about, and one that was never sent completely", async () => {
  const key = await keyOf(["admin"]);
  const id = await upload(key, lamps("39.99"));
  const { id: unsent } = madeSchema.parse(
    await (await api(key, "POST", "/uploads", { name: "a.csv" })).json(),
  );
  await live(unsent, NOW + 2 * DAY);
  await live(id, NOW + 8 * DAY);
  const { results } = await env.DB.prepare(
    "SELECT outcome FROM deliveries WHERE source IN (?, ?) ORDER BY outcome",
  )
    .bind(id, unsent)
    .all();
  expect(results).toEqual([{ outcome: "discarded" }, { outcome: "failed" }]);
});

it.each([
  ["holds no product", "<html><body>This is not a catalog at all, but a page.</body></html>"],
  ["ends in a long name", `<rss><item><${"x".repeat(60_000)}></rss>`],
])("says what is wrong with a file that %s, without most of it", async (_, file) => {
  const key = await keyOf(["admin"]);
  const id = await upload(key, file);
  const { results } = await env.DB.prepare(
    "SELECT outcome, report ->> 'problem' AS problem FROM deliveries WHERE source = ?",
  )
    .bind(id)
    .all<{ outcome: string; problem: string }>();
  expect(results[0]?.outcome).toBe("failed");
  expect(results[0]?.problem).toMatch(/^\w.{10,520}$/);
});

it("refuses a file that is small only until it is decompressed, and the catalog stays as it is", async () => {
  vi.spyOn(StoredBytes.prototype, "max", "get").mockReturnValue(64 * 1024);
  const before = await catalog();
  const key = await keyOf(["admin"]);
  const header = "sku,name,category,price,currency\n";
  const bomb = await gzipped(header + "BOMB,Lamp,Home,19.99,EUR\n".repeat(100_000));
  expect(bomb.length).toBeLessThan(64 * 1024);
  const id = await upload(key, bomb);
  const { results } = await env.DB.prepare(
    "SELECT outcome, report ->> 'problem' AS problem FROM deliveries WHERE source = ?",
  )
    .bind(id)
    .all();
  expect(results).toEqual([
    { outcome: "failed", problem: "The file has more than 0.25 MiB when it is decompressed." },
  ]);
  expect(await catalog()).toEqual(before);
});

const gzipped = async (text: string) =>
  new Uint8Array(
    await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
