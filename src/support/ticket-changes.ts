import * as z from "zod";
import type { ChangeDraft, ChangeRow } from "../changes/change.ts";
import {
  IS_OF_DRAFT,
  isStored,
  keysOf,
  readStored,
  selectStored,
  storeChange,
} from "../changes/statements.ts";
import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { type Desk, visibleTo } from "./desk.ts";
import { ticketIdSchema, toId, toKey } from "./ids.ts";
import {
  TICKET_STATUSES,
  type TicketState,
  type TicketStatus,
  ticketStateRowSchema,
  toTicketState,
} from "./ticket.ts";
import { unknownTicket } from "./unknown.ts";

// Changes of tickets. Like those of stock, each is stored by the first statement of its batch, and can be undone.

export interface Closing {
  ticketId: string;
  /** Version of the ticket as the caller read it; undefined closes the ticket in any version. */
  version?: number | undefined;
}

export interface ChangedTicket {
  state: TicketState;
  /** The change that this call, or an earlier one with its key, made; undefined if the ticket stays as it was. */
  change?: ChangeRow | undefined;
  isReplay: boolean;
}

/** The viewer's values and the ticket's key, from ?9 on. */
const MINE = `id = ?11 AND ${visibleTo("customer_id", "?9", "?10")}`;

/** Closes a ticket, with the draft's reason as resolution. A closed ticket stays as it is. */
export async function closeTicket(
  { db, viewerValues }: Desk,
  { ticketId, version }: Closing,
  draft: ChangeDraft,
): Promise<Outcome<ChangedTicket>> {
  const key = toKey(ticketIdSchema, ticketId);
  const rows = await runBatch(db, [
    storeChange(
      draft,
      `EXISTS (SELECT 1 FROM tickets WHERE ${MINE} AND status <> 'closed' AND (?12 IS NULL OR version = ?12))`,
      [...viewerValues, key, version ?? null],
    ),
    noteTicket(draft.id, "?2", key),
    {
      sql: `UPDATE tickets SET status = 'closed', closed_at = ?3, resolution = ?4, version = version + 1
        WHERE id = ?2 AND status <> 'closed' AND ${isStored("?1")}`,
      values: [draft.id, key, draft.at, draft.reason],
    },
    selectStored(draft),
    selectNoted(draft),
    {
      sql: `SELECT id, status, version, closed_at, resolution FROM tickets t WHERE t.id = ?3 AND ${visibleTo("t.customer_id")}`,
      values: [...viewerValues, key],
    },
  ]);
  const stored = readStored(rows.at(-3), draft);
  if (!stored.ok) return stored;
  const [row] = z.array(ticketStateRowSchema).parse(rows.at(-1));
  if (row === undefined) return unknownTicket;
  const change = stored.value;
  if (change === undefined) return ok({ state: toTicketState(row), isReplay: false });
  // The first result, even if the ticket was opened again since.
  const [noted] = z.array(notedRow).parse(rows.at(-2));
  const then = { ...row, status: "closed" as const, closed_at: change.at, resolution: change.reason };
  const state = toTicketState({ ...then, version: noted?.version ?? row.version });
  return ok({ state, change, isReplay: change.id !== draft.id });
}

const notedRow = z.object({ ticket_id: z.int(), version: z.int() });

/** Stores a ticket as it is before a change, and the version that the change leaves. `ticket` is SQL for its id, from ?2. */
const noteTicket = (changeId: string, ticket: string, value: string | number | null): Statement => ({
  sql: `INSERT OR IGNORE INTO ticket_changes (change_id, ticket_id, status, resolution, closed_at, version)
    SELECT ?1, id, status, resolution, closed_at, version + 1 FROM tickets WHERE id = ${ticket} AND ${isStored("?1")}`,
  values: [changeId, value],
});

const selectNoted = (draft: ChangeDraft): Statement => ({
  sql: `SELECT n.ticket_id, n.version FROM ticket_changes n JOIN changes c ON c.id = n.change_id WHERE ${IS_OF_DRAFT}`,
  values: keysOf(draft),
});

/** A ticket as a change left it. */
export interface Reopened {
  ticket_id: string;
  status: TicketStatus;
  version: number;
  change: ChangeRow;
  isReplay: boolean;
}

const reopenedRow = z.object({
  id: z.int(),
  /** The version now. */
  version: z.int(),
  /** As it was before the change that is undone. */
  status: z.enum(TICKET_STATUSES),
});

/** Puts a ticket back as it was before the change `draft.undoes`, unless something newer touched it. */
export async function reopenTicket(
  { db, viewerValues }: Desk,
  draft: ChangeDraft & { undoes: string },
): Promise<Outcome<Reopened>> {
  const rows = await runBatch(db, [
    storeChange(
      draft,
      `EXISTS (SELECT 1 FROM ticket_changes n JOIN tickets t ON t.id = n.ticket_id AND t.version = n.version
        WHERE n.change_id = ?8 AND ${visibleTo("t.customer_id", "?9", "?10")})`,
      [...viewerValues],
    ),
    noteTicket(draft.id, `(SELECT n.ticket_id FROM ticket_changes n WHERE n.change_id = ?2)`, draft.undoes),
    {
      sql: `UPDATE tickets SET status = n.status, resolution = n.resolution, closed_at = n.closed_at,
          version = tickets.version + 1
        FROM ticket_changes n
        WHERE n.change_id = ?2 AND tickets.id = n.ticket_id AND tickets.version = n.version AND ${isStored("?1")}`,
      values: [draft.id, draft.undoes],
    },
    selectStored(draft),
    selectNoted(draft),
    {
      sql: `SELECT t.id, t.version, n.status FROM ticket_changes n JOIN tickets t ON t.id = n.ticket_id
        WHERE n.change_id = ?3 AND ${visibleTo("t.customer_id")}`,
      values: [...viewerValues, draft.undoes],
    },
  ]);
  const stored = readStored(rows.at(-3), draft);
  if (!stored.ok) return stored;
  const [row] = z.array(reopenedRow).parse(rows.at(-1));
  if (row === undefined)
    return refuse("not_found", "There is no such change of a ticket, or it is too old to be undone.");
  const ticket_id = toId("T", row.id);
  const change = stored.value;
  if (change === undefined)
    return refuse("conflict", `${ticket_id} has changed since: its version is ${row.version} now.`);
  const [noted] = z.array(notedRow).parse(rows.at(-2));
  const version = noted?.version ?? row.version;
  return ok({ ticket_id, status: row.status, version, change, isReplay: change.id !== draft.id });
}
