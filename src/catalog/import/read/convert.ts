import { toRecord } from "./to-record.ts";
import type { Notes } from "./notes.ts";
import { UNCATEGORIZED } from "./presets/preset.ts";
import type { Row } from "./read-jsonl.ts";
import { type DraftRow, textOf } from "./rows.ts";
import type { Survey } from "./survey.ts";

/** Converts drafts to rows of the catalog's schema. Rows that are left out are noted. */
export async function* convert(
  drafts: AsyncIterable<DraftRow>,
  survey: Survey,
  notes: Notes,
): AsyncGenerator<Row> {
  for await (const draft of drafts) {
    if ("problem" in draft) yield draft;
    else if ("leftOut" in draft) notes.leaveOut(draft.leftOut);
    else {
      // Only a vendor's preset makes SKUs, and vendors do not require a category.
      if (draft.identity !== undefined && textOf(draft.fields["category"]) === "") {
        draft.fields["category"] = UNCATEGORIZED;
        notes.count("withoutCategory");
      }
      const converted = toRecord(draft, survey, notes);
      yield { line: draft.line, ...converted };
    }
  }
}
