import type { Child } from "hono/jsx";
import type { Incident } from "../../incidents/incident-record.ts";
import type { CallView } from "../../caller/overview.ts";
import { byWords } from "./admin-event-words.ts";
import { STATUS_NAMES } from "./incident-words.ts";
import { number } from "./units.ts";
import { At } from "./elements.tsx";

/** The steps of an incident, from its first call to its decision. */
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
                First matching call: <code>{first.name}</code>
              </>
            ),
          },
        ]),
    { at: first_at, said: "The rule opened the incident." },
    ...(count > 1
      ? [
          {
            at: last_at,
            said: (
              <>
                It matched again, {number(count)} times in total, last on <code>{tool}</code>.
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
                  : `${STATUS_NAMES[status]} by ${byWords(decided_by)}.`}
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
