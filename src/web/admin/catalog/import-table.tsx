import type { ListedImport } from "../../../catalog/import/lists.ts";
import { BAD_ROWS_KEPT, type BadRow } from "../../../catalog/import/history.ts";
import { Table } from "../data-table.tsx";
import { Ago, Chip } from "../elements.tsx";
import { list, number, plural } from "../units.ts";

/** Imports with what they changed, and their bad rows in a section that opens. */
export function ImportTable({
  imports,
  now,
  label,
}: {
  imports: readonly ListedImport[];
  now: number;
  label: string;
}) {
  return (
    <Table
      label={label}
      rows={imports}
      idOf={({ seq }) => `import-${seq}`}
      columns={[
        { name: "When", kind: "row", cell: ({ ended_at }) => <Ago at={ended_at} now={now} /> },
        {
          name: "Source",
          cell: ({ source, made_by }) => (made_by === null ? source : `${source}, by ${made_by}`),
        },
        { name: "Result", kind: "long", cell: (each) => <Result of={each} /> },
        { name: "Products", value: ({ counts }) => counts.rows },
        { name: "Bad rows", kind: "long", cell: (each) => <BadRows of={each} /> },
      ]}
    />
  );
}

function Result({ of: { outcome, problem, counts } }: { of: ListedImport }) {
  if (outcome === "refused")
    return (
      <>
        <Chip tone="high">not applied</Chip> {problem}
      </>
    );
  const parts = [
    ["new", counts.added],
    ["changed", counts.changed],
    ["unchanged", counts.unchanged],
    ["discontinued", counts.discontinued],
  ] as const;
  const said = parts.flatMap(([word, count]) =>
    count === null || count === 0 ? [] : [`${number(count)} ${word}`],
  );
  return (
    <>
      <Chip tone="good">applied</Chip> {list(said)}
    </>
  );
}

function BadRows({ of: { seq, bad_rows, counts } }: { of: ListedImport }) {
  if (counts.bad === 0) return <span class="quiet">none</span>;
  if (bad_rows.length === 0) return <>{number(counts.bad)}</>;
  return (
    <details id={`bad-${seq}`}>
      <summary>{plural(counts.bad, "bad row")}</summary>
      <ul class="plain-list">
        {bad_rows.map((row) => (
          <BadRowItem {...row} />
        ))}
      </ul>
      {counts.bad > bad_rows.length && <p class="quiet">The first {number(BAD_ROWS_KEPT)} are kept.</p>}
    </details>
  );
}

function BadRowItem({ line, problem }: BadRow) {
  return (
    <li>
      Row {number(line)}: {problem}
    </li>
  );
}
