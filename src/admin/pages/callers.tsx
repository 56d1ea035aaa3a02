import type { SignedIn } from "../../identity/sessions.ts";
import { type Caller, rolesOf } from "../callers.ts";
import { number } from "../words.ts";
import { adminPage } from "./layout.tsx";
import { Ago, CallerLink, Chip, Num, Table } from "./parts.tsx";

interface CallersPage {
  admin: SignedIn;
  callers: Caller[];
  /** What was searched for. */
  text: string;
  now: number;
}

export function callersPage({ admin, callers, text, now }: CallersPage): Promise<Response> {
  return adminPage(
    {
      admin,
      title: "Callers",
      section: "/admin/callers",
      live: text === "" ? "/admin/callers" : `/admin/callers?q=${encodeURIComponent(text)}`,
      still: (
        <form class="search" role="search">
          <label for="q">Name or id</label>
          <input id="q" type="search" name="q" value={text} maxlength={100} />
          <button>Search</button>
        </form>
      ),
    },
    <section class="card" aria-label="Callers">
      {callers.length === 0 ? (
        <p class="quiet">{text === "" ? "Nobody has called yet." : "Nobody of that name."}</p>
      ) : (
        <Table
          label="Callers"
          head={["Caller", "Name", "Roles", "State", "Open incidents", "Records", "Audit anchored"]}
          numbers={[4, 5]}
        >
          {callers.map((caller) => (
            <tr id={`caller-${caller.id}`}>
              <th scope="row">
                <CallerLink id={caller.id} />
              </th>
              <td>{caller.name ?? <span class="quiet">without a name</span>}</td>
              <td>{rolesOf(caller).join(", ")}</td>
              <td>
                <CallerState {...caller} />
              </td>
              <td class="number">{caller.open > 0 ? <Chip tone="high">{number(caller.open)}</Chip> : "0"}</td>
              <Num value={caller.records} />
              <td class="time">
                {caller.last_at === null ? (
                  <span class="quiet">never</span>
                ) : (
                  <Ago at={caller.last_at} now={now} />
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>,
  );
}

export function CallerState({ disabled_at }: Pick<Caller, "disabled_at">) {
  return disabled_at === null ? <Chip tone="good">may call</Chip> : <Chip tone="quiet">disabled</Chip>;
}
