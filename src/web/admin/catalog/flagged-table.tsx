import type { ListedFlagged } from "../../../catalog/import/lists.ts";
import { Table } from "../data-table.tsx";
import { Ago, Chip } from "../elements.tsx";
import { number } from "../units.ts";

/** Products whose text reads like an instruction, with the text. */
export function FlaggedTable({
  flagged,
  now,
  label,
}: {
  flagged: readonly ListedFlagged[];
  now: number;
  label: string;
}) {
  return (
    <Table
      label={label}
      rows={flagged}
      idOf={({ sku }) => `flagged-${sku}`}
      columns={[
        { name: "SKU", kind: "row", cell: ({ sku }) => sku },
        { name: "Product", cell: ({ name }) => name ?? <span class="quiet">not in the catalog</span> },
        { name: "State", cell: (each) => <State of={each} /> },
        { name: "Field", cell: ({ field }) => field },
        { name: "Text", kind: "long", cell: ({ excerpt }) => <q>{excerpt}</q> },
        { name: "Row", kind: "short", cell: ({ line }) => number(line) },
        { name: "Found", kind: "short", cell: ({ found_at }) => <Ago at={found_at} now={now} /> },
      ]}
    />
  );
}

function State({ of: { kept_out, name } }: { of: ListedFlagged }) {
  if (kept_out === 0) return <Chip tone="medium">imported</Chip>;
  return <Chip tone="quiet">{name === null ? "kept out" : "kept out; an earlier text is served"}</Chip>;
}
