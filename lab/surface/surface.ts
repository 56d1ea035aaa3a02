import { lists } from "../../src/mcp/shown.ts";
import { everyVersion } from "../../src/tools/registry.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { type Surface, lockSchema } from "./lock.ts";

/** Returns what clients see of a server with these tools, and this product's resources and prompts. */
export function surfaceOf(tools: readonly Tool[]): Surface {
  return lockSchema.parse({
    tools: Object.fromEntries(everyVersion(tools).map((tool) => [keyOf(tool), entryOf(tool)])),
    resources: byKey(lists["resources/list"].entries.map(({ shown: { uri, ...shown } }) => [uri, shown])),
    resourceTemplates: byKey(
      lists["resources/templates/list"].entries.map(({ shown: { uriTemplate, ...shown } }) => [
        uriTemplate,
        shown,
      ]),
    ),
    prompts: byKey(lists["prompts/list"].entries.map(({ shown: { name, ...shown } }) => [name, shown])),
  });
}

/** An entry's key: the first version has the tool's name, a later one its number too. */
const keyOf = ({ name, version }: Tool): string => (version === 1 ? name : `${name}_v${version}`);

// The lock has the schemas by which values are checked, so that it also finds a changed default or format, which
// clients are not shown.
function entryOf({ name, version, deprecated, examples, definition, contract }: Tool): object {
  const { title, description, annotations } = definition;
  return {
    tool: name,
    version,
    ...(deprecated && { deprecated }),
    title,
    description,
    examples,
    shapes: [{ ...contract, annotations }],
  };
}

const byKey = (entries: [string, object][]): Record<string, object> => Object.fromEntries(entries);
