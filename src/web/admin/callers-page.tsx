import type { Page } from "../../database/page.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import { type Caller, kindOf, rolesOf } from "../../admin/caller-list.ts";
import { number } from "./units.ts";
import { adminPage } from "./admin-page.tsx";
import { Pager, pagePath } from "./pager.tsx";
import { Ago, CallerLink, Chip } from "./elements.tsx";
import { Table } from "./data-table.tsx";

interface CallersPage {
  admin: SignedIn;
  page: Page<Caller>;
  /** The end of the previous page; undefined on the first. */
  cursor: string | undefined;
  /** The text of the search. */
  text: string;
  now: number;
}

export function callersPage({ admin, page, cursor, text, now }: CallersPage): Promise<Response> {
  const list = text === "" ? "/admin/callers" : `/admin/callers?q=${encodeURIComponent(text)}`;
  return adminPage(
    {
      admin,
      title: "Callers",
      section: "/admin/callers",
      live: pagePath(list, cursor),
      still: (
        <form class="search" role="search">
          <label for="q">Name or id, from the start of a word</label>
          <input id="q" type="search" name="q" value={text} maxlength={100} />
          <button>Search</button>
        </form>
      ),
    },
    <section class="card" aria-label="Callers">
      {page.rows.length === 0 ? (
        <p class="quiet">{text === "" ? "No callers yet." : "No matching callers."}</p>
      ) : (
        <Table
          label="Callers"
          rows={page.rows}
          idOf={({ id }) => `caller-${id}`}
          columns={[
            { name: "Caller", kind: "row", cell: ({ id }) => <CallerLink id={id} /> },
            { name: "Name", cell: (caller) => caller.name ?? <span class="quiet">{kindOf(caller)}</span> },
            { name: "Roles", cell: (caller) => rolesOf(caller).join(", ") },
            {
              name: "State",
              cell: (caller) => <CallerState {...caller} isMostlyRefused={caller.mostly_refused === 1} />,
            },
            {
              name: "Open incidents",
              kind: "number",
              cell: ({ open }) => (open > 0 ? <Chip tone="high">{number(open)}</Chip> : "0"),
            },
            { name: "Records", value: ({ records }) => records },
            {
              name: "Audit anchored",
              kind: "short",
              cell: ({ last_at }) =>
                last_at === null ? <span class="quiet">never</span> : <Ago at={last_at} now={now} />,
            },
          ]}
        />
      )}
      <Pager list={list} cursor={cursor} next={page.next} />
    </section>,
  );
}

type State = Pick<Caller, "disabled_at" | "deleted_at" | "stopped"> & {
  /** Whether most of its latest calls were refused. */
  isMostlyRefused: boolean;
};

export function CallerState({ disabled_at, deleted_at, stopped, isMostlyRefused }: State) {
  if (deleted_at !== null) return <Chip tone="quiet">deleted</Chip>;
  if (disabled_at !== null) return <Chip tone="quiet">disabled</Chip>;
  if (stopped === null)
    return isMostlyRefused ? (
      <Chip tone="medium">may call, mostly refused</Chip>
    ) : (
      <Chip tone="good">may call</Chip>
    );
  if (stopped === "block") return <Chip tone="high">blocked</Chip>;
  return <Chip tone="medium">{stopped === "confirm" ? "waits for a decision" : "slowed down"}</Chip>;
}
