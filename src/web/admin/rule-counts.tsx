import type { Overview } from "../../caller/overview.ts";
import { Table } from "./data-table.tsx";
import { duration, number, plural } from "./units.ts";

type RuleCount = Overview["counts"][number];

/** How far each rule has counted for a caller. Rules that counted nothing are in a section that opens on demand. */
export function RuleCounts({ counts }: Pick<Overview, "counts">) {
  const started = counts.filter(({ observed }) => observed > 0);
  const unused = counts.filter(({ observed }) => observed === 0);
  return (
    <>
      {started.length === 0 && <p class="quiet">All rules are at zero.</p>}
      {started.length > 0 && <CountTable counts={started} label="Rule counts" />}
      {unused.length > 0 && (
        <details id="idle-rules">
          <summary>Limits at zero ({number(unused.length)})</summary>
          <CountTable counts={unused} label="Limits at zero" />
        </details>
      )}
    </>
  );
}

function CountTable({ counts, label }: Pick<Overview, "counts"> & { label: string }) {
  return (
    <Table
      label={label}
      rows={counts}
      idOf={({ rule, window_ms }) => `count-${rule}-${window_ms}`}
      columns={[
        { name: "Rule", kind: "row", cell: ({ rule }) => rule },
        { name: "Window", cell: ({ window_ms }) => duration(window_ms) },
        { name: "Counted", kind: "number", cell: CountedCell },
        { name: "Allowed", value: ({ max }) => max },
        { name: "Usage", cell: UsageMeter },
      ]}
    />
  );
}

const NOUNS: Record<RuleCount["what"], [one: string, many: string]> = {
  people: ["person", "people"],
  records: ["record", "records"],
  bytes: ["byte", "bytes"],
  products: ["product", "products"],
};

function CountedCell({ observed, isEstimate, what }: RuleCount) {
  const counted = plural(observed, ...NOUNS[what]);
  return isEstimate ? `up to ${counted}` : counted;
}

function UsageMeter({ rule, window_ms, observed, max }: RuleCount) {
  return (
    <meter
      aria-label={`${rule} in ${duration(window_ms)}`}
      max={max}
      high={max * 0.8}
      value={Math.min(observed, max)}
    />
  );
}
