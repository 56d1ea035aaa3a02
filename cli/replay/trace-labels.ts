import { type Labels, NOWHERE } from "../../src/detection/labels.ts";
import { tools } from "../../src/tools/registry.ts";

/** Where traces say whom and what an answer held, whichever tool it was. */
const SUBJECTS = ["subjects[]"];
const PRODUCTS = ["products[]"];
/** What traces name products by, in place of `sku`. */
const TRACE_ID = "id";

/** The labels of the server's own tools, by where traces keep ids. Tools that the server does not have are not judged. */
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
