import * as z from "zod";
import { cursorArgument } from "../catalog/cursor.ts";
import { reasonSchema } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { RESERVATION_STATES } from "../inventory/reservation-list.ts";
import { ok } from "../refusal.ts";
import { cursorAfter, startOf } from "../support/page.ts";
import { heldSchema, heldText, reservationIdSchema } from "./reservation.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const LIMIT = 10;
const LIMIT_MAX = 20;

export const listReservations = defineTool({
  name: "list_reservations",
  version: 1,
  title: "List reservations",
  description: `Who reserved which stock, until when and why, the newest first. Pass next_cursor back as cursor, with all else unchanged, for older ones.`,
  examples: [{ state: "held" }],
  annotations: READ_ONLY,
  scope: "inventory:write",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: [], results: ["reservations[].items[].sku"] },
    cost: { records: LIMIT_MAX, bytes: 120_000, page: { argument: "limit", default: LIMIT } },
  },
  input: z.strictObject({
    state: z.enum(RESERVATION_STATES).optional(),
    limit: z.int().min(1).max(LIMIT_MAX).default(LIMIT),
    cursor: cursorArgument.optional(),
  }),
  output: z.strictObject({
    reservations: z.array(
      z.strictObject({
        reservation_id: reservationIdSchema,
        state: z.enum(RESERVATION_STATES),
        by: z.string(),
        reason: reasonSchema,
        at: z.iso.datetime(),
        expires_at: z.iso.datetime(),
        items: z.array(heldSchema),
      }),
    ),
    next_cursor: z.string().optional().describe("Present where there are older ones"),
  }),

  async run({ state, limit, cursor }, { inventory, now }) {
    const question = ["list_reservations", state];
    const start = startOf(question, cursor);
    if (!start.ok) return start;
    const page = await inventory.reservations({ state, limit, before: start.value, now });
    return ok(
      answered({ reservations: page.items, ...cursorAfter(page, question) }, { records: page.items.length }),
    );
  },

  text({ reservations, next_cursor }) {
    if (reservations.length === 0) return "There are no such reservations.";
    const lines = reservations.flatMap(({ reservation_id, state, by, reason, at, expires_at, items }) => [
      `${reservation_id}: ${state}, by ${by}, ${at}, expires ${expires_at}`,
      `  Reason: ${reason.replaceAll("\n", "\n    ")}`,
      ...items.map((item) => `  ${heldText(item)}`),
    ]);
    if (next_cursor !== undefined)
      lines.push(`There are older ones: call again with cursor "${next_cursor}".`);
    return lines.join("\n");
  },
});
