import type { Trace } from "../../cli/replay/read-traces.ts";
import { ATTACKS, CRAWLS, FRONTIER } from "./attacks.ts";
import { BENIGN, BENIGN_SHOPPERS } from "./benign.ts";
import { Story } from "./story.ts";

interface Family {
  name: string;
  label: "benign" | "attack";
  role: "support" | "shopper";
  tell: (story: Story) => void;
}

const family =
  (label: Family["label"], role: Family["role"]) =>
  ([name, tell]: [string, Family["tell"]]): Family => ({ name, label, role, tell });

const BENIGN_FAMILIES = [
  ...Object.entries(BENIGN).map(family("benign", "support")),
  ...Object.entries(BENIGN_SHOPPERS).map(family("benign", "shopper")),
];
const ATTACK_FAMILIES = [
  ...Object.entries(ATTACKS).map(family("attack", "support")),
  ...Object.entries(CRAWLS).map(family("attack", "shopper")),
];
const FRONTIER_FAMILIES = Object.entries(FRONTIER).map(family("attack", "support"));

const SETS: Readonly<Record<string, readonly Family[]>> = {
  benign: BENIGN_FAMILIES,
  attacks: ATTACK_FAMILIES,
  frontier: FRONTIER_FAMILIES,
};

/** Every attack that can be generated, by name. */
export const ATTACK_NAMES: readonly string[] = ATTACK_FAMILIES.map(({ name }) => name);

/** Names that can be generated: a set of families, or one family. */
export const FAMILY_NAMES: readonly string[] = [
  ...Object.keys(SETS),
  ...[...BENIGN_FAMILIES, ...ATTACK_FAMILIES].map(({ name }) => name),
];

/**
 * Generates `count` traces of each family that the name means, the same for the same seed. Generates none for
 * an unknown name.
 */
export function* generateTraces(name: string, count: number, seed: number): Generator<Trace> {
  const all = [...BENIGN_FAMILIES, ...ATTACK_FAMILIES, ...FRONTIER_FAMILIES];
  const wanted = SETS[name] ?? all.filter((each) => each.name === name);
  for (const { name: familyName, label, role, tell } of wanted) {
    for (let index = 0; index < count; index++) {
      const story = new Story(seed * 100_003 + index, role);
      tell(story);
      yield story.trace(`${familyName}-${seed}-${index}`, label, familyName);
    }
  }
}
