import { beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { lockSchema } from "../../lab/surface/lock.ts";
import { everyVersion, tools } from "../../src/tools/registry.ts";
import definitions from "../../tool-definitions.json" with { type: "json" };
import { ask, signedInAs } from "./support/desk.ts";
import { fillSample } from "./support/sample.ts";
import { makeExamples } from "./support/stock.ts";
import { askUcp, publishProfiles } from "./ucp/support.ts";

// A client written for any released definition sends that definition's examples, and checks the answer
// against its output schema.

let staff: Record<string, string>;
beforeAll(async () => {
  await fillSample();
  staff = await signedInAs(["support", "inventory"]);
  await makeExamples();
});

const ucpArguments = z.looseObject({ catalog: z.unknown() });
const examples = Object.entries(lockSchema.parse(definitions).tools).flatMap(
  ([entry, { tool, version, shapes, examples: all }]) => {
    const names = everyVersion(tools).find((each) => each.name === tool && each.version === version)?.names;
    return all.map((example) => {
      const args = { ...example, ...(names?.[0] !== undefined && { version: names.at(-1) }) };
      return [`${entry} ${JSON.stringify(args)}`, { name: tool, args, shapes }] as const;
    });
  },
);

/** Tools of the UCP endpoint, which have a prefix where tools of both endpoints meet. */
const UCP = "ucp:";
publishProfiles();

it.each(examples.filter(([, { name }]) => name.startsWith(UCP)))(
  "%s answers as it always did",
  async (_, { name, args, shapes }) => {
    const { catalog } = ucpArguments.parse(args);
    const { value, error } = await askUcp(name.slice(UCP.length), catalog, staff);
    expect(error).toBeUndefined();
    for (const { outputSchema } of shapes) {
      expect(z.fromJSONSchema(outputSchema).safeParse(value).error?.issues).toBeUndefined();
    }
  },
);

it.each(examples.filter(([, { name }]) => !name.startsWith(UCP)))(
  "%s answers as it always did",
  async (_, { name, args, shapes }) => {
    const { value, refusal } = await ask(staff, name, args);
    expect(refusal).toBeUndefined();
    for (const { outputSchema } of shapes) {
      expect(z.fromJSONSchema(outputSchema).safeParse(value).error?.issues).toBeUndefined();
    }
  },
);

it("every tool has an example", () => {
  expect(Object.entries(definitions.tools).filter(([, tool]) => tool.examples.length === 0)).toEqual([]);
});
