import type { CallView } from "../../caller/overview.ts";
import { ADMITTED } from "../../caller/audit/records.ts";
import { codeWords } from "./units.ts";
import { Chip, ShortAt } from "./elements.tsx";
import { Table } from "./data-table.tsx";

/** Calls from the audit. */
export function CallTable({ calls, label }: { calls: readonly CallView[]; label: string }) {
  return (
    <Table
      label={label}
      rows={calls}
      idOf={({ seq }) => `call-${seq}`}
      columns={[
        { name: "No.", value: ({ seq }) => seq },
        { name: "When, UTC", kind: "short", cell: ({ at }) => <ShortAt at={at} /> },
        { name: "Call", kind: "row", cell: ({ name }) => <code>{name}</code> },
        { name: "Arguments", cell: (call) => <code class="arguments">{call.arguments}</code> },
        { name: "Result", cell: (call) => <Result {...call} /> },
        { name: "Records", value: ({ outcome }) => outcome?.records ?? null },
        { name: "People", value: ({ outcome }) => outcome?.people ?? null },
        { name: "ms", value: ({ outcome }) => outcome?.duration_ms ?? null },
        { name: "Client", cell: ({ client }) => client },
        { name: "Request", cell: ({ correlation_id: id }) => <code class="quiet request">{id}</code> },
      ]}
    />
  );
}

function Result({ decision, outcome }: CallView) {
  if (decision !== ADMITTED) return <Chip tone="high">{codeWords(decision)}</Chip>;
  if (outcome === null) return <Chip tone="quiet">no outcome yet</Chip>;
  return (
    <span class="chips">
      {outcome.withheld !== null ? (
        <Chip tone="high">withheld: {codeWords(outcome.withheld)}</Chip>
      ) : (
        <Chip tone={outcome.code === "ok" ? "good" : "medium"}>
          {outcome.code === "ok" ? "answered" : codeWords(outcome.code)}
        </Chip>
      )}
      {outcome.tainted && <Chip tone="medium">text like an instruction</Chip>}
      {outcome.canary && <Chip tone="critical">planted record</Chip>}
    </span>
  );
}
