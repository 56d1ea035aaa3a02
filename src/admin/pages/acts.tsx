import type { Act } from "../../windows/records.ts";
import { actWords, byWords, number } from "../words.ts";
import { ShortAt, Table } from "./parts.tsx";

/** What was decided about a caller and changed of it, as its audit has it. */
export function ActTable({ acts, label }: { acts: readonly Act[]; label: string }) {
  return (
    <Table label={label} head={["No.", "When, UTC", "Who", "What", "Note"]} numbers={[0]}>
      {acts.map((act) => (
        <tr id={`act-${act.seq}`}>
          <td class="number">{number(act.seq)}</td>
          <td class="time">
            <ShortAt at={act.at} />
          </td>
          <th scope="row">{byWords(act.by)}</th>
          <td>{actWords(act)}</td>
          <td>{act.kind === "decision" && act.note}</td>
        </tr>
      ))}
    </Table>
  );
}
