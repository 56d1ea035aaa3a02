import { describe, expect, it } from "vitest";
import { type Labels, isPersonal } from "../../src/detection/labels.ts";
import { prompts } from "../../src/prompts/registry.ts";
import { resourceTemplates, resources } from "../../src/resources/registry.ts";
import { tools } from "../../src/tools/registry.ts";

interface Labelled {
  name: string;
  labels: Labels;
  /** JSON Schemas; undefined if there are none to compare with. */
  arguments?: object;
  results?: object;
}

const child = (schema: unknown, name: string): unknown =>
  typeof schema === "object" && schema !== null && Object.hasOwn(schema, name)
    ? Object.getOwnPropertyDescriptor(schema, name)?.value
    : undefined;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Whether a value of the schema can hold something at a path. */
function leadsSomewhere(schema: unknown, [step, ...rest]: string[]): boolean {
  if (schema === undefined) return false;
  const choices = [...list(child(schema, "anyOf")), ...list(child(schema, "oneOf"))];
  if (choices.length > 0)
    return choices.some((choice) => leadsSomewhere(choice, [...(step === undefined ? [] : [step]), ...rest]));
  if (step === undefined) return ["string", "integer", "number"].includes(String(child(schema, "type")));
  const name = step.replace(/\[\]$/, "");
  const property = child(child(schema, "properties"), name);
  return leadsSomewhere(name === step ? property : child(property, "items"), rest);
}

/** Returns the problems with the labels of a tool, a resource or a prompt. */
function problemsOf({ name, labels, ...schemas }: Labelled): string[] {
  // The types require labels; a developer who runs the tests first gets this message.
  if (!labels) return [`${name} has no labels: docs/add-a-tool.md says what they are`];
  const problems: string[] = [];
  const { subjects, objects, kinds, cost, classes } = labels;
  if (kinds.length === 0) problems.push(`${name} has no kind`);
  if (kinds.includes("source") && cost.records < 1) problems.push(`${name} costs no records`);
  if (cost.bytes < 1) problems.push(`${name} costs no bytes`);
  for (const side of ["arguments", "results"] as const) {
    for (const path of [...subjects[side], ...objects[side]]) {
      const schema = schemas[side];
      if (schema !== undefined && !leadsSomewhere(schema, path.split("."))) {
        problems.push(`${name}: ${side} have no ${path}`);
      }
    }
  }
  const { page } = cost;
  if (page !== undefined && schemas.arguments !== undefined) {
    const argument = child(child(schemas.arguments, "properties"), page.argument);
    if (child(argument, "default") !== page.default || child(argument, "maximum") !== cost.records) {
      problems.push(`${name}: ${page.argument} is no page of ${page.default} to ${cost.records}`);
    }
  }
  // A product that does not exist is answered with the nearest ones, which count as read.
  if (classes.includes("catalog") && objects.arguments.length > 0 && (objects.hints ?? []).length === 0) {
    problems.push(`${name} names products in its arguments and none in the hints of a refusal`);
  }
  if (isPersonal({ classes }) && subjects.arguments.length + subjects.results.length === 0) {
    problems.push(`${name} is personal and names no subject`);
  }
  return problems;
}

const registered: Labelled[] = [
  ...tools.map(({ definition, contract, labels }) => ({
    name: definition.name,
    labels,
    arguments: contract.inputSchema,
    results: contract.outputSchema,
  })),
  ...resources.map(({ uri, labels }) => ({ name: uri, labels, arguments: {} })),
  ...resourceTemplates.map(({ uriTemplate, variable, labels }) => ({
    name: uriTemplate,
    labels,
    arguments: { properties: { [variable]: { type: "string" } } },
  })),
  ...prompts.map(({ definition, labels }) => ({ name: definition.name, labels })),
];

it.each(registered.map((each) => [each.name, each] as const))("%s is labelled as it answers", (_, each) => {
  expect(problemsOf(each)).toEqual([]);
});

describe("the registry refuses", () => {
  const good = registered.find(({ name }) => name === "get_customer_orders");
  if (good === undefined) throw new Error("get_customer_orders is registered");
  const { labels } = good;
  const { subjects, objects } = labels;

  it.each<[string, Labels, string]>([
    ["no kind", { ...labels, kinds: [] }, "has no kind"],
    ["no cost", { ...labels, cost: { records: 0, bytes: 0 } }, "costs no records"],
    [
      "an argument that does not exist",
      { ...labels, subjects: { ...subjects, arguments: ["customerId"] } },
      "arguments have no customerId",
    ],
    [
      "a result that does not exist",
      { ...labels, objects: { ...objects, results: ["orders[].id"] } },
      "results have no orders[].id",
    ],
    [
      "a list taken for a value",
      { ...labels, objects: { ...objects, results: ["orders.order_id"] } },
      "results have no orders.order_id",
    ],
    [
      "half a path",
      { ...labels, objects: { ...objects, results: ["orders[]"] } },
      "results have no orders[]",
    ],
    [
      "a page of another size",
      { ...labels, cost: { ...labels.cost, page: { argument: "limit", default: 5 } } },
      "limit is no page of 5 to 20",
    ],
    [
      "personal data without a subject",
      { ...labels, subjects: { arguments: [], results: [] } },
      "names no subject",
    ],
  ])("%s", (_, changed, problem) => {
    expect(problemsOf({ ...good, labels: changed })).toContainEqual(expect.stringContaining(problem));
  });
});
