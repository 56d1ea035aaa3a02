import { type Labels, NOWHERE } from "../../src/detection/labels.ts";
import { tools } from "../../src/tools/registry.ts";

/** The fields of a trace that hold an answer's people and products, for every tool. */
const SUBJECTS = ["subjects[]"];
const PRODUCTS = ["products[]"];
/** The field that names a product in traces, instead of `sku`. */
const TRACE_ID = "id";

/**
 * The labels of the server's own tools, with the fields where traces keep ids. Tools that the server lacks
 * are not judged.
 */
export const TRACE_LABELS: ReadonlyMap<string, Labels> = new Map(
  tools.map(({ definition, labels }) => [definition.name, inTraces(labels)]),
);

function inTraces(labels: Labels): Labels {
  const { classes, subjects, objects } = labels;
  const isCatalog = classes.includes("catalog");
  return {
    ...labels,
    subjects: subjects === NOWHERE ? NOWHERE : { arguments: subjects.arguments, results: SUBJECTS },
    objects: {
      arguments: isCatalog && objects !== NOWHERE ? [...objects.arguments, TRACE_ID] : objects.arguments,
      results: isCatalog && objects !== NOWHERE ? PRODUCTS : [],
    },
  };
}
