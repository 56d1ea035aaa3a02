import fc from "fast-check";
import { expect, it } from "vitest";
import { clip, plainText } from "../../src/text/plain-text.ts";
import { anyCharacter } from "../any-character.ts";

it.each([
  ["an ANSI colour", "\u001b[31mred\u001b[0m", "red"],
  ["a bidi override", "a\u202eb\u202c", "ab"],
  ["zero-width characters", "a\u200b\u200d\ufeffb", "ab"],
  ["Unicode tags", "Lamp\u{e0049}\u{e0067}", "Lamp"],
  ["a null", "a\u0000b", "ab"],
  ["tab and newline, which stay", "a\tb\nc", "a\tb\nc"],
  ["emoji and accents, which stay", "Café 🙂", "Café 🙂"],
])("strips %s", (_, text, expected) => {
  expect(plainText(text)).toBe(expected);
});

it("changes nothing the second time", () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (text) => {
      const once = plainText(text);
      expect(plainText(once)).toBe(once);
    }),
  );
});

it("clips within the bound and never splits a surrogate pair", () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), fc.integer({ min: 1, max: 20 }), (text, max) => {
      const clipped = clip(text, max);
      expect(clipped.length).toBeLessThanOrEqual(Math.max(max, 1));
      if (text.isWellFormed()) expect(clipped.isWellFormed()).toBe(true);
      if (text.length <= max) expect(clipped).toBe(text);
    }),
  );
});
