import type { AdminEvent } from "../../caller/audit/records.ts";
import { byWords, eventWords } from "./admin-event-words.ts";
import { Table } from "./data-table.tsx";
import { ShortAt } from "./elements.tsx";

/** Decisions about a caller and changes of it, from its audit. */
export function AdminEventTable({ events, label }: { events: readonly AdminEvent[]; label: string }) {
  return (
    <Table
      label={label}
      rows={events}
      idOf={({ seq }) => `event-${seq}`}
      columns={[
        { name: "No.", value: ({ seq }) => seq },
        { name: "When, UTC", kind: "short", cell: ({ at }) => <ShortAt at={at} /> },
        { name: "By", kind: "row", cell: ({ by }) => byWords(by) },
        { name: "Event", cell: eventWords },
        { name: "Note", cell: (event) => event.kind === "decision" && event.note },
      ]}
    />
  );
}
