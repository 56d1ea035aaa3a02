import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import type { Tables } from "./tables.ts";

const headSchema = z.object({ seq: z.int(), hash: z.string() });
// Loose, so that fields of a newer release are written back.
const stateSchema = z.looseObject({
  principal: z.string(),
  startedAt: z.int(),
  checkpoint: headSchema,
  anchored: z.object({ seq: z.int(), at: z.int() }),
  /** Whether the index of chains has this one, which it gets after the first anchor. */
  indexed: z.boolean().optional(),
  retentionMs: z.int(),
  /** When the last pruned record was made; 0 if none was pruned. */
  prunedAt: z.int(),
});
/** Principal, start and checkpoint say where the chain begins, so they must be readable; the other fields can be recovered. */
const leastState = stateSchema.extend({
  anchored: stateSchema.shape.anchored.catch({ seq: 0, at: 0 }),
  retentionMs: stateSchema.shape.retentionMs.catch(0),
  prunedAt: stateSchema.shape.prunedAt.catch(0),
});
/** An object's state beside its records. */
export type State = z.output<typeof stateSchema>;

const rowOf = <Schema extends z.ZodType>(schema: Schema) => z.object({ text: jsonText.pipe(schema) });

export interface StateRow {
  /**
   * Undefined if there is none; "unreadable" if a newer release stored one that this release can't read, which stays as it
   * is.
   */
  state(): State | "unreadable" | undefined;
  saveState(state: State): void;
}

export const stateRow = (tables: Tables): StateRow => ({
  state() {
    const row = tables.one("SELECT text FROM state");
    if (row === undefined) return undefined;
    const { data, error } = rowOf(stateSchema).safeParse(row);
    if (data !== undefined) return data.text;
    tables.reportUnreadable("state")(error);
    return rowOf(leastState).safeParse(row).data?.text ?? "unreadable";
  },
  saveState(state) {
    tables.make();
    tables.run("INSERT OR REPLACE INTO state (id, text) VALUES (1, ?)", JSON.stringify(state));
  },
});
