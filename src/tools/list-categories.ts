import * as z from "zod";
import { cursorArgument, decodeCursor, encodeCursor } from "../catalog/cursor.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { emptyCatalogNotice } from "../catalog/empty-catalog.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const PAGE = 200;
const SCOPE = "list_categories";

export const listCategories = defineTool({
  name: "list_categories",
  version: 1,
  title: "List categories",
  description: `The catalog's categories in order of name, each with its number of active products.
Use a name from here as search_products's category. A name may be a path ("Home > Lamps"); each name above it works too.`,
  examples: [{}],
  annotations: READ_ONLY,
  scope: "catalog:read",
  runsAhead: true,
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: NOWHERE,
    cost: { records: 200, bytes: 64_000 },
  },
  input: z.strictObject({
    cursor: cursorArgument.optional(),
  }),
  output: z.strictObject({
    categories: z.array(z.strictObject({ name: z.string(), products: z.int() })),
    next_cursor: z.string().optional().describe("Present where there are more categories"),
    notice: z.string().optional(),
  }),

  async run({ cursor }, { catalog }) {
    const after = cursor === undefined ? undefined : decodeCursor(SCOPE, cursor);
    if (after?.ok === false) return after;
    const found = await catalog.categories(PAGE + 1, after?.value[1]);
    const categories = found.slice(0, PAGE);
    const last = categories.at(-1);
    const notice = last === undefined ? emptyCatalogNotice(await catalog.overview()) : undefined;
    const answer = {
      categories,
      ...(found.length > PAGE && last && { next_cursor: encodeCursor(SCOPE, ["", last.name]) }),
      ...(notice !== undefined && { notice }),
    };
    return ok(answered(answer, { records: categories.length }));
  },

  text({ categories, next_cursor, notice }) {
    if (categories.length === 0) return notice ?? "No category has an active product.";
    const lines = categories.map(({ name, products }) => `- ${name}: ${products}`);
    if (next_cursor !== undefined) lines.push(`There are more: call again with cursor "${next_cursor}".`);
    return lines.join("\n");
  },
});
