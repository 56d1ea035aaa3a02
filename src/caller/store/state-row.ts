import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import type { Tables } from "./tables.ts";

const headSchema = z.object({ seq: z.int(), hash: z.string() });
// Loose: what a later release has added is written back with the rest.
const stateSchema = z.looseObject({
  principal: z.string(),
  startedAt: z.int(),
  checkpoint: headSchema,
  anchored: z.object({ seq: z.int(), at: z.int() }),
  /** Whether the index of chains has this one; it is told behind the first anchor. */
  indexed: z.boolean().optional(),
  retentionMs: z.int(),
  /** When the last record that was pruned was made; 0 while none was. */
  prunedAt: z.int(),
});
/** Without these three nobody can say where the chain begins; the others are found out anew. */
const leastState = stateSchema.extend({
  anchored: stateSchema.shape.anchored.catch({ seq: 0, at: 0 }),
  retentionMs: stateSchema.shape.retentionMs.catch(0),
  prunedAt: stateSchema.shape.prunedAt.catch(0),
});
/** What an object keeps of itself beside its records. */
export type State = z.output<typeof stateSchema>;

const rowOf = <Schema extends z.ZodType>(schema: Schema) => z.object({ text: jsonText.pipe(schema) });

export interface StateRow {
  /** Undefined where there is none; "unreadable" where a later release has stored one that can't be read, which stays. */
  state(): State | "unreadable" | undefined;
  saveState(state: State): void;
}

export const stateRow = (tables: Tables): StateRow => ({
  state() {
    const row = tables.one("SELECT text FROM state");
    if (row === undefined) return undefined;
    const { data, error } = rowOf(stateSchema).safeParse(row);
    if (data !== undefined) return data.text;
    tables.tell("state")(error);
    return rowOf(leastState).safeParse(row).data?.text ?? "unreadable";
  },
  saveState(state) {
    tables.make();
    tables.run("INSERT OR REPLACE INTO state (id, text) VALUES (1, ?)", JSON.stringify(state));
  },
});
