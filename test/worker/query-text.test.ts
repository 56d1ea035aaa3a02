import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { newCaller } from "./support/caller.ts";
import { fill, sample } from "./support/catalog.ts";
import { sessionsByBinding } from "./support/sessions.ts";

beforeAll(() => fill(sample));
afterEach(() => vi.restoreAllMocks());

const search = (query: string, { ask } = newCaller()) =>
  ask("tools/call", { name: "search_products", arguments: { query } });

it.each([
  ["characters that expand to four words each", "\uFDFA".repeat(100)],
  ["characters that expand to three letters each", "\u33A7".repeat(100)],
  ["more words than a search reads", "a ".repeat(40)],
])("refuses a query of %s before any look-up", async (_, query) => {
  const caller = newCaller();
  await search("dock", caller);
  // The object anchors its chain at its first record, and not again within a minute.
  await caller.object.anchor();
  sessionsByBinding();
  const batch = vi.spyOn(env.DB, "batch");
  const { refusal } = await search(query, caller);
  expect(refusal).toMatchObject({ code: "invalid_arguments" });
  expect(batch).not.toHaveBeenCalled();
});

it.each([
  ["fractions, signs and full-width letters", "½ inch ｗｒｅｎｃｈ ™ 27″ ㎝ №5"],
  ["one ligature among words", "\uFDFA calligraphy poster"],
  ["a hundred letters of a script that Unicode decomposes", "한".repeat(100)],
  [
    "twenty-five words",
    "a 27 inch 4k ips usb c hub monitor with 90 w pd and kvm for my mac mini m 4 at 120 hz",
  ],
])("answers a query of %s", async (_, query) => {
  expect((await search(query)).refusal).toBeUndefined();
});
