import type { Child } from "hono/jsx";
import type { Incident } from "../../incidents/incident-record.ts";
import type { CallView } from "../../caller/overview.ts";
import { byWords } from "./event-words.ts";
import { STATUS, number } from "./words.ts";
import { At } from "./elements.tsx";

/** An incident from its first call to what was decided. */
export function Timeline({ incident, calls }: { incident: Incident; calls: CallView[] }) {
  const { first_at, last_at, count, tool, decided_at, decided_by, note, status } = incident;
  const first = calls.at(-1);
  const steps: { at: number; said: Child }[] = [
    ...(first === undefined
      ? []
      : [
          {
            at: first.at,
            said: (
              <>
                The first of the calls that matched: <code>{first.name}</code>
              </>
            ),
          },
        ]),
    { at: first_at, said: "The rule spoke." },
    ...(count > 1
      ? [
          {
            at: last_at,
            said: (
              <>
                It spoke again, {number(count)} times so far, last at <code>{tool}</code>.
              </>
            ),
          },
        ]
      : []),
    ...(decided_at === null
      ? []
      : [
          {
            at: decided_at,
            said: (
              <>
                {decided_by === null
                  ? "Closed by a later incident of the same rule."
                  : `${STATUS[status]} by ${byWords(decided_by)}.`}
                {note !== null && <q class="note">{note}</q>}
              </>
            ),
          },
        ]),
  ];
  return (
    <ol class="timeline">
      {steps.map(({ at, said }) => (
        <li>
          <At at={at} />
          <span>{said}</span>
        </li>
      ))}
    </ol>
  );
}
