import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

const WORDS_MIN = 2;
const WORDS_MAX = 3;
const LENGTH_MAX = 100;

/** Neighbouring words of products' own names, seeded: an endless stream in which none repeats. */
export function* queryStream(names: readonly string[]): Generator<string, never> {
  const random = xoroshiro128plus(1);
  const between = (low: number, high: number) => uniformInt(random, low, high);
  const seen = new Set<string>();
  for (;;) {
    const words = (names[between(0, names.length - 1)] ?? "").split(/\s+/);
    const size = between(WORDS_MIN, WORDS_MAX);
    const from = between(0, Math.max(0, words.length - size));
    const query = words.slice(from, from + size).join(" ");
    if (seen.has(query.toLowerCase()) || query.length > LENGTH_MAX || !/[\p{L}\p{N}]/u.test(query)) continue;
    seen.add(query.toLowerCase());
    yield query;
  }
}
