import { describe, expect, it } from "vitest";
import { type Link, NEW_CALLERS, YOUNG_MS, rootsOf } from "../../../src/identity/lineage.ts";
import { type DecisionFacts, whoDecides } from "../../../src/identity/who-decides.ts";

const NOW = 100 * YOUNG_MS;
const link = (made: string, maker: string | null, age = 0): Link => ({ made, maker, at: NOW - age });

describe("the roots of a lineage", () => {
  it.each<[string, string[], Link[], string[]]>([
    ["of a user whom nobody made are that user", ["ada"], [], ["ada"]],
    ["of a user whom somebody made are the maker", ["bot"], [link("bot", "ada")], ["ada"]],
    ["of a chain are its first maker", ["c"], [link("c", "b"), link("b", "a")], ["a"]],
    ["end at a link older than a week", ["c"], [link("c", "b"), link("b", "a", YOUNG_MS + 1)], ["b"]],
    ["are both makers if there are two", ["c"], [link("c", "a"), link("c", "b")], ["a", "b"]],
    [
      "of users who made each other are one of them, the first by id",
      ["b"],
      [link("a", "b"), link("b", "a")],
      ["a"],
    ],
    [
      "are one for a user that a circle made",
      ["aa"],
      [link("aa", "c"), link("c", "b"), link("b", "c")],
      ["b"],
    ],
    ["are above a circle that somebody made", ["c"], [link("c", "b"), link("b", "c"), link("b", "x")], ["x"]],
    ["never include an unknown maker", ["c"], [link("c", null)], ["c"]],
  ])("%s", (_, accounts, links, roots) => {
    expect(rootsOf(accounts, links, NOW)).toEqual(roots);
  });
});

const facts = ({
  decider,
  ...changes
}: Omit<Partial<DecisionFacts>, "decider"> & { decider?: object } = {}) => ({
  decider: {
    userId: "root",
    kind: "user" as const,
    isAdmin: true,
    isInteractive: false,
    made: [],
    ...decider,
  },
  principal: "suspect",
  adminSpells: [],
  links: [],
  hasSignOn: false,
  ...changes,
});
const madeBy = (maker: string | null, age = 0) => ({ made: [link("root", maker, age)] });

describe("who may decide", () => {
  it.each<[string, DecisionFacts, string]>([
    ["an admin about somebody else", facts(), "yes"],
    ["an admin with a key about all new callers", facts({ principal: NEW_CALLERS }), "with-code"],
    [
      "an admin who signed in at the provider about all new callers",
      facts({ principal: NEW_CALLERS, decider: { isInteractive: true } }),
      "yes",
    ],
    ["a user who is not an admin", facts({ decider: { isAdmin: false } }), "no"],
    ["a maker about a user they made", facts({ links: [link("suspect", "root")] }), "with-code"],
    ["a maker a week later", facts({ links: [link("suspect", "root", YOUNG_MS + 1)] }), "yes"],
    ["a user about their maker", facts({ decider: madeBy("suspect") }), "with-code"],
    ["two users with one maker", facts({ decider: madeBy("x"), links: [link("suspect", "x")] }), "with-code"],
    [
      "two whom one made over others",
      facts({ decider: madeBy("y"), links: [link("y", "x"), link("suspect", "z"), link("z", "x")] }),
      "with-code",
    ],
    [
      "two users with different makers",
      facts({ decider: madeBy("x"), links: [link("suspect", "y")] }),
      "yes",
    ],
    ["a lineage that is too large", facts({ links: undefined }), "with-code"],
    [
      "an unknown maker, and a suspect who was an admin then and is none now",
      facts({ decider: madeBy(null, 5), adminSpells: [{ from: NOW - 9, to: NOW - 1 }] }),
      "with-code",
    ],
    [
      "an unknown maker, and a suspect who became an admin later",
      facts({ decider: madeBy(null, 5), adminSpells: [{ from: NOW - 4, to: null }] }),
      "yes",
    ],
    ["a key, if people sign in by a provider", facts({ hasSignOn: true }), "with-code"],
    ["a person who signed in there", facts({ hasSignOn: true, decider: { isInteractive: true } }), "yes"],
    [
      "a person there about what they made",
      facts({ hasSignOn: true, decider: { isInteractive: true }, links: [link("suspect", "root")] }),
      "with-code",
    ],
    ["an admin about their own work, with a key", facts({ principal: "root" }), "with-code"],
    [
      "a person about their own work",
      facts({ principal: "root", decider: { isAdmin: false, isInteractive: true } }),
      "yes",
    ],
    ["a service about its own work", facts({ principal: "root", decider: { kind: "service" } }), "no"],
  ])("%s", (_, given, answer) => {
    expect(whoDecides(given, NOW)).toBe(answer);
  });
});
