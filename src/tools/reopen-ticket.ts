import * as z from "zod";
import { changeIdSchema, draftOf, idempotencyKeySchema, reasonArgument } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { ticketIdSchema } from "../support/ids.ts";
import { TICKET_STATUSES } from "../support/ticket.ts";
import { REPEATABLE_WRITE, defineTool } from "./tool.ts";

export const reopenTicket = defineTool({
  name: "reopen_ticket",
  version: 1,
  title: "Reopen a ticket",
  description: `Undo close_ticket: the ticket is again as it was before, unless something newer touched it.`,
  examples: [
    { change_id: "CH-0123456789abcde0", reason: "Closed by mistake", idempotency_key: "7f2c9a4e-reopen" },
  ],
  annotations: { ...REPEATABLE_WRITE, destructiveHint: false },
  scope: "support:write",
  labels: {
    classes: [],
    kinds: ["write"],
    subjects: NOWHERE,
    objects: { arguments: [], results: ["ticket_id"] },
    cost: { records: 1, bytes: 1_000 },
  },
  input: z.strictObject({
    change_id: changeIdSchema,
    reason: reasonArgument,
    idempotency_key: idempotencyKeySchema,
  }),
  output: z.strictObject({
    ticket_id: ticketIdSchema,
    status: z.enum(TICKET_STATUSES),
    version: z.int(),
    change_id: changeIdSchema,
    replayed: z.boolean(),
  }),

  async run(args, { support, inventory, now }) {
    const draft = draftOf("reopen_ticket", args, { principal: inventory.principal, now });
    const reopened = await support.reopenTicket({ ...draft, undoes: args.change_id });
    if (!reopened.ok) return reopened;
    const { change, isReplay, ...ticket } = reopened.value;
    return ok(
      answered({ ...ticket, change_id: change.id, replayed: isReplay }, { records: isReplay ? 0 : 1 }),
    );
  },

  text: ({ ticket_id, status, version, change_id, replayed }) =>
    `${ticket_id}: ${status} again, version ${version} (${change_id}${replayed ? ", made by an earlier call" : ""})`,
});
