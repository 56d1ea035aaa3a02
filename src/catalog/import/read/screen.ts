import { holdsInstruction } from "../../../text/injection-scan.ts";
import type { CheckedRow } from "./check-rows.ts";

/** A product whose text reads like an instruction to the model that receives it. */
export interface Suspect {
  line: number;
  sku: string;
}

export interface Screening {
  count: number;
  /** The first ones. */
  shown: Suspect[];
  /** Whether they are kept out. */
  quarantined: boolean;
}

const SHOWN = 20;

/** Scans the texts of each product with the server's own scanner, and counts those that it flags. */
export async function* screen(rows: AsyncIterable<CheckedRow>, found: Screening): AsyncGenerator<CheckedRow> {
  for await (const row of rows) {
    if ("record" in row) {
      const { name, brand, model, description, category, group, options } = row.record;
      // Names of options are the shop's own words, as names of attributes are.
      const attributes = { ...options, ...row.record.attributes };
      if (holdsInstruction([name, brand, model, description, category, group?.name, { attributes }])) {
        found.count++;
        if (found.shown.length < SHOWN) found.shown.push({ line: row.line, sku: row.record.sku });
        if (found.quarantined) continue;
      }
    }
    yield row;
  }
}
