import type { Overview } from "../../caller/overview.ts";
import { Table } from "./data-table.tsx";
import { Ago } from "./elements.tsx";
import { classWords } from "./rule-words.ts";
import { number } from "./units.ts";

const PEOPLE_SHOWN = 40;

/** The people whose data a caller read within a day, as tokens. */
export function PeopleTable({ people, now }: Pick<Overview, "people"> & { now: number }) {
  if (people.length === 0) return <p class="quiet">Nobody within a day.</p>;
  return (
    <>
      <p class="quiet">
        {number(people.length)} within a day. Each token is a keyed hash: the same person always has the same
        token, and nobody can find the person from it.
      </p>
      <Table
        label="People"
        rows={people.slice(0, PEOPLE_SHOWN)}
        idOf={({ token }) => `person-${token}`}
        columns={[
          { name: "Person", kind: "row", cell: ({ token }) => <code>{token}</code> },
          { name: "Data read", cell: ({ classes }) => classWords(classes) || "none yet" },
          { name: "Last read", kind: "short", cell: ({ seen_at }) => <Ago at={seen_at} now={now} /> },
        ]}
      />
    </>
  );
}
