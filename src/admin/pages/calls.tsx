import type { CallView } from "../../windows/overview.ts";
import { ADMITTED } from "../../windows/records.ts";
import { codeWords, number } from "../words.ts";
import { Chip, Num, ShortAt, Table } from "./parts.tsx";

/** Calls as the audit has them. */
export function CallTable({ calls, label }: { calls: readonly CallView[]; label: string }) {
  return (
    <Table
      label={label}
      head={["No.", "When, UTC", "Call", "Arguments", "What came of it", "Records", "People", "ms", "Client"]}
      numbers={[0, 5, 6, 7]}
    >
      {calls.map((call) => (
        <tr id={`call-${call.seq}`}>
          <td class="number">{number(call.seq)}</td>
          <td class="time">
            <ShortAt at={call.at} />
          </td>
          <th scope="row">
            <code>{call.name}</code>
          </th>
          <td>
            <code class="arguments">{call.arguments}</code>
          </td>
          <td>
            <Ended {...call} />
          </td>
          <Num value={call.outcome?.records ?? null} />
          <Num value={call.outcome?.people ?? null} />
          <Num value={call.outcome?.duration_ms ?? null} />
          <td class="client">{call.client}</td>
        </tr>
      ))}
    </Table>
  );
}

function Ended({ decision, outcome }: CallView) {
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
