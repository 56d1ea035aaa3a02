import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import type { RowChange, StoredRow } from "../../detection/state/part.ts";
import type { Tables } from "./tables.ts";

const textRow = z.object({ text: jsonText });

/** The flow rules' stored state. */
export interface FlowRows {
  hasFlow(): boolean;
  /** The flow state after record `flowAt`; 0 is before the first. */
  flowRows(): StoredRow[];
  flowAt(): number;
  saveFlow(changes: readonly RowChange[], at: number): void;
}

export const flowRows = ({ select, one, run }: Tables): FlowRows => ({
  hasFlow: () => one("SELECT 1 FROM flow_state LIMIT 1") !== undefined,
  flowRows: () =>
    [...select("SELECT key, text FROM flow_state")].map((row) => ({
      key: z.string().parse(row["key"]),
      // Undefined if it is not JSON, which no part of the state can read.
      value: textRow.safeParse(row).data?.text,
    })),
  flowAt: () => z.int().parse(one("SELECT seq FROM flow_at")?.["seq"] ?? 0),
  saveFlow(changes, at) {
    for (const { key, value } of changes) {
      if (value === undefined) run("DELETE FROM flow_state WHERE key = ?", key);
      else run("INSERT OR REPLACE INTO flow_state (key, text) VALUES (?, ?)", key, JSON.stringify(value));
    }
    run("INSERT OR REPLACE INTO flow_at (id, seq) VALUES (1, ?)", at);
  },
});
