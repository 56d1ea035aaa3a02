import { CALLERS_MAX } from "../../../caller/audit/searches.ts";
import type { CountedSearch } from "../../../admin/search-list.ts";
import { Table } from "../data-table.tsx";
import { Card } from "../elements.tsx";
import { number, plural } from "../units.ts";

interface SearchCards {
  /** Undefined if the policy counts no searches. */
  searches: { frequent: CountedSearch[]; empty: CountedSearch[] } | undefined;
  days: number;
}

/** The most frequent searches, and those that found nothing. */
export function SearchCards({ searches, days }: SearchCards) {
  return (
    <div class="columns">
      <Card title="Searches">
        <SearchTable searches={searches?.frequent} of="callers" label="Searches" none="No words yet." />
        <p class="quiet">
          {searches === undefined
            ? "The policy counts no searches."
            : `Words that at least three callers searched for, in ${plural(days, "day")}. Who they were is not kept.`}
        </p>
      </Card>
      <Card title="Searches that found nothing">
        <SearchTable
          searches={searches?.empty}
          of="empty"
          label="Searches that found nothing"
          none="No words yet."
        />
        <p class="quiet">Words for which the last search of at least three callers found nothing.</p>
      </Card>
    </div>
  );
}

function SearchTable({
  searches = [],
  of,
  label,
  none,
}: {
  searches: readonly CountedSearch[] | undefined;
  of: "callers" | "empty";
  label: string;
  none: string;
}) {
  if (searches.length === 0) return <p class="quiet">{none}</p>;
  return (
    <Table
      label={label}
      rows={searches}
      columns={[
        { name: "Words", kind: "row", cell: ({ words }) => words },
        {
          name: "Callers",
          kind: "number",
          cell: (search) => `${number(search[of])}${search[of] >= CALLERS_MAX ? " or more" : ""}`,
        },
      ]}
    />
  );
}
