import type { Act } from "../../caller/audit/records.ts";
import { actWords, byWords } from "./event-words.ts";
import { ShortAt } from "./elements.tsx";
import { Table } from "./table.tsx";

/** What was decided about a caller and changed of it, as its audit has it. */
export function ActTable({ acts, label }: { acts: readonly Act[]; label: string }) {
  return (
    <Table
      label={label}
      rows={acts}
      idOf={({ seq }) => `act-${seq}`}
      columns={[
        { name: "No.", value: ({ seq }) => seq },
        { name: "When, UTC", kind: "short", cell: ({ at }) => <ShortAt at={at} /> },
        { name: "Who", kind: "row", cell: ({ by }) => byWords(by) },
        { name: "What", cell: actWords },
        { name: "Note", cell: (act) => act.kind === "decision" && act.note },
      ]}
    />
  );
}
