import { holdsInstruction, readsLikeInstruction } from "../../../text/injection-scan.ts";
import { FLAGGED_KEPT, type Flagged } from "../flagged.ts";
import type { CheckedRow } from "./check-rows.ts";

export interface Screening {
  count: number;
  /** The first ones. */
  found: Flagged[];
  /** Whether they are kept out. */
  quarantined: boolean;
}

/** Scans the texts of each product with the server's own scanner, and counts those that it flags. */
export async function* screen(rows: AsyncIterable<CheckedRow>, found: Screening): AsyncGenerator<CheckedRow> {
  for await (const row of rows) {
    if ("record" in row) {
      const { name, brand, model, description, category, group, options } = row.record;
      // Names of options are the shop's own words, as names of attributes are.
      const attributes = { ...options, ...row.record.attributes };
      if (holdsInstruction([name, brand, model, description, category, group?.name, { attributes }])) {
        found.count++;
        if (found.found.length < FLAGGED_KEPT)
          found.found.push({
            line: row.line,
            sku: row.record.sku,
            ...placeOf({ name, brand, model, description, category, group: group?.name, ...attributes }),
          });
        if (found.quarantined) continue;
      }
    }
    yield row;
  }
}

/** The first field that reads like an instruction by itself, and its sentence; the description if only several together do. */
function placeOf(fields: Record<string, string | number | boolean | null | undefined>) {
  const texts = Object.entries(fields).map(([field, value]) => ({ field, text: String(value ?? "") }));
  const whole = texts.find(
    ({ field, text }) => readsLikeInstruction(text) || readsLikeInstruction(`${field}: ${text}`),
  );
  const { field, text } = whole ?? { field: "description", text: String(fields["description"] ?? "") };
  const sentence = text.split(/(?<=[.!?\n])\s+/).find((each) => readsLikeInstruction(each));
  return { field, excerpt: sentence ?? text };
}
