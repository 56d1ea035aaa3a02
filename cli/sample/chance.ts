import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export type Chance = ReturnType<typeof chance>;

/** Pseudo-random choices: the same seed gives the same sequence. */
export function chance(seed: number) {
  const random = xoroshiro128plus(seed);
  const between = (low: number, high: number) => uniformInt(random, low, high);
  const oneOf = <T>(list: readonly T[]): T => {
    const chosen = list[between(0, list.length - 1)];
    if (chosen === undefined) throw new RangeError("Nothing to choose from");
    return chosen;
  };
  return { between, oneOf };
}
