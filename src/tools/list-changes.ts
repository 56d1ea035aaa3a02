import * as z from "zod";
import { cursorArgument } from "../catalog/cursor.ts";
import { HINTED_SKUS, skuSchema, unknownSku } from "../catalog/sku.ts";
import { changeIdSchema, reasonSchema } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { cursorAfter, startOf } from "../support/page.ts";
import { lineSchema, lineText } from "./stock-change.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const LIMIT = 10;
const LIMIT_MAX = 20;

export const listChanges = defineTool({
  name: "list_changes",
  version: 1,
  title: "List changes of stock",
  description: `Who changed stock, when, why, and from what to what, the newest first: of one product, or of all. Pass next_cursor back as cursor, with all else unchanged, for older ones.`,
  examples: [{ sku: "SKU-10001" }, {}],
  annotations: READ_ONLY,
  scope: "inventory:write",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: ["sku"], results: ["items[].changes[].sku"], hints: HINTED_SKUS },
    cost: { records: LIMIT_MAX, bytes: 120_000, page: { argument: "limit", default: LIMIT } },
  },
  input: z.strictObject({
    sku: skuSchema.optional(),
    change_id: changeIdSchema.optional(),
    limit: z.int().min(1).max(LIMIT_MAX).default(LIMIT),
    cursor: cursorArgument.optional(),
  }),
  output: z.strictObject({
    items: z.array(
      z.strictObject({
        change_id: changeIdSchema,
        tool: z.string(),
        by: z.string(),
        at: z.iso.datetime(),
        reason: reasonSchema,
        undoes: z.string().nullable(),
        undone_by: z.string().nullable(),
        places: z.int().describe("How many it changed; changes shows the first 50"),
        changes: z.array(lineSchema),
      }),
    ),
    next_cursor: z.string().optional().describe("Present where there are older changes"),
  }),

  async run({ sku, change_id, limit, cursor }, { catalog, inventory, now }) {
    const question = ["list_changes", sku, change_id];
    const start = startOf(question, cursor);
    if (!start.ok) return start;
    const page = await inventory.changes({ sku, changeId: change_id, limit, before: start.value });
    if (sku !== undefined && page.items.length === 0 && (await inventory.stock([sku], now)).length === 0)
      return unknownSku(catalog, sku);
    const items = page.items.map((each) => {
      const { seq: _, ...item } = each;
      return item;
    });
    return ok(answered({ items, ...cursorAfter(page, question) }, { records: items.length }));
  },

  text({ items, next_cursor }) {
    if (items.length === 0) return "There are no such changes.";
    const lines = items.flatMap(({ change_id, tool, by, at, reason, undoes, undone_by, places, changes }) => [
      `${change_id}: ${tool} by ${by}, ${at}${undoes === null ? "" : `, undoes ${undoes}`}${undone_by === null ? "" : `, undone by ${undone_by}`}`,
      `  Reason: ${reason.replaceAll("\n", "\n    ")}`,
      ...changes.map((line) => `  ${lineText(line)}`),
      ...(places > changes.length ? [`  and ${places - changes.length} more`] : []),
    ]);
    if (next_cursor !== undefined)
      lines.push(`There are older ones: call again with cursor "${next_cursor}".`);
    return lines.join("\n");
  },
});
