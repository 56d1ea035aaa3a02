import { beforeAll, describe, expect, it } from "vitest";
import { everyVersion, tools } from "../../src/tools/registry.ts";
import { ask, signedInAs } from "./support/desk.ts";
import { fillSample } from "./support/sample.ts";
import { makeExamples } from "./support/stock.ts";

// Some clients show a model only `structuredContent`, others only the text, so each half must hold the whole answer.

beforeAll(async () => {
  await fillSample();
  await makeExamples();
});

/** Somebody new for each tool, because one person may read only a few customers by id. */
const staff = new Map<string, Promise<Record<string, string>>>();
function staffFor(tool: string): Promise<Record<string, string>> {
  const known = staff.get(tool) ?? signedInAs(["support", "inventory"]);
  staff.set(tool, known);
  return known;
}

/** Calls of every version of a tool beside its own examples, for the parts of an answer that those leave out. */
const MORE: Record<string, object[]> = {
  search_products: [{ query: "keyboard", facets: true, limit: 2 }, { query: "zzzz" }],
  query_stock: [{ skus: ["SKU-0", "SKU-10001"] }],
  search_customers: [{ email: "nobody@example.com" }],
  list_tickets: [{ limit: 2 }, { status: "closed" }],
  get_ticket: [{ ticket_id: "T-5002" }, { ticket_id: "T-5004" }],
};

const calls = everyVersion(tools).flatMap(({ name, names, examples }) =>
  [...examples, ...(MORE[name] ?? [])].flatMap((args) =>
    names.length === 0
      ? [{ name, args }]
      : names.map((version) => ({ name, args: { ...Object(args), version } })),
  ),
);

describe.each(calls)("$name $args", ({ name, args }) => {
  it("has every value of its structured half in its text", async () => {
    const { value, text, refusal } = await ask(await staffFor(name), name, args);
    expect(refusal).toBeUndefined();
    const said = oneSpace(text);
    expect(
      leaves(value).filter(
        ({ at, shown }) => !ECHOES.has(`${name} ${at}`) && !said.includes(oneSpace(shown)),
      ),
    ).toEqual([]);
    const anyTrue = new Map<string, boolean>();
    for (const { at, is } of booleans(value)) anyTrue.set(at, is || anyTrue.get(at) === true);
    for (const [at, is] of anyTrue) {
      const words = SAID_IF_TRUE[at.split(/[.[\]]+/).at(-1) ?? ""];
      expect({ at, isSaid: words?.test(said) ?? "has no words" }).toEqual({ at, isSaid: is });
    }
  });
});

/** Arguments that an answer repeats, in every version of the tool. */
const ECHOES = new Set(["search_products version"]);

/** How a text says that a boolean is true; without it, the boolean is false. */
const SAID_IF_TRUE: Record<string, RegExp> = {
  truncated: /were cut|was cut|More items/,
  untrusted: /untrusted/,
  more: /More customers match/,
  changed: /closed now/,
  preferred: /\(preferred\)/,
  complete: /Counted: all/,
  replayed: /by an earlier call/,
};

const oneSpace = (text: string) => text.replace(/\s+/g, " ");

/** Texts and numbers with their places. An amount of money counts as its one text, a name in a record as a text too. */
function leaves(value: unknown, at = ""): { at: string; shown: string }[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => leaves(each, `${at}[]`));
  if (typeof value === "object" && value !== null) {
    if ("formatted" in value) return [{ at, shown: String(value.formatted) }];
    return Object.entries(value).flatMap(([name, each]) => [
      ...(at.endsWith("attributes") ? [{ at, shown: name }] : []),
      ...leaves(each, at === "" ? name : `${at}.${name}`),
    ]);
  }
  return typeof value === "string" || typeof value === "number" ? [{ at, shown: String(value) }] : [];
}

function booleans(value: unknown, at = ""): { at: string; is: boolean }[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => booleans(each, `${at}[]`));
  if (typeof value === "object" && value !== null)
    return at.endsWith("attributes")
      ? []
      : Object.entries(value).flatMap(([name, each]) => booleans(each, at === "" ? name : `${at}.${name}`));
  return typeof value === "boolean" ? [{ at, is: value }] : [];
}
