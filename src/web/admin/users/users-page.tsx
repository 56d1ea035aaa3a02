import type { Page } from "../../../database/page.ts";
import { ROLES } from "../../../identity/scopes.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { adminPage } from "../admin-page.tsx";
import { Table } from "../data-table.tsx";
import { Ago, Chip, Done } from "../elements.tsx";
import { CheckboxField, FormProblem, SelectField, TextField, VouchField } from "../form-fields.tsx";
import type { Sent } from "../form-values.ts";
import { Pager } from "../pager.tsx";
import { USERS, userPath } from "./paths.ts";
import type { ListedUser } from "./rows.ts";

interface UsersPage {
  admin: SignedIn;
  page: Page<ListedUser>;
  /** The end of the previous page; undefined on the first. */
  cursor: string | undefined;
  /** The beginning of ids that was searched for. */
  prefix: string;
  /** The form that adds a user, if it was refused. */
  sent: Sent;
  /** The result of the last action. */
  message: string | undefined;
  now: number;
}

/** The list of users, and the form that adds one. */
export function usersPage({ admin, page, cursor, prefix, sent, message, now }: UsersPage): Promise<Response> {
  const list = prefix === "" ? USERS : `${USERS}?q=${encodeURIComponent(prefix)}`;
  return adminPage(
    {
      admin,
      title: "Users and keys",
      section: USERS,
      ...(sent.problems.size > 0 && { status: 409 }),
    },
    <>
      {message !== undefined && <Done>{message}</Done>}
      <details class="card action" id="add" open={sent.problems.size > 0}>
        <summary>Add a user</summary>
        <AddForm sent={sent} />
      </details>
      <form class="search" role="search">
        <label for="q">Beginning of an id</label>
        <input id="q" type="search" name="q" value={prefix} maxlength={64} />
        <button>Search</button>
      </form>
      <section class="card" aria-label="Users">
        {page.rows.length === 0 ? (
          <p class="quiet">{prefix === "" ? "No users." : "No id begins so."}</p>
        ) : (
          <Table
            label="Users"
            rows={page.rows}
            idOf={({ id }) => `user-${id}`}
            columns={[
              { name: "User", kind: "row", cell: ({ id }) => <a href={userPath(id)}>{id}</a> },
              {
                name: "Name",
                cell: ({ name, kind }) => (kind === "service" ? `${name} (a service)` : name),
              },
              { name: "Roles", cell: ({ roles }) => roles ?? <span class="quiet">none</span> },
              { name: "Valid keys", value: ({ keys }) => keys },
              {
                name: "State",
                kind: "short",
                cell: ({ disabled_at }) => <UserState disabled={disabled_at} />,
              },
              {
                name: "Added",
                kind: "short",
                cell: ({ created_at }) => <Ago at={Date.parse(created_at)} now={now} />,
              },
            ]}
          />
        )}
        <Pager list={list} cursor={cursor} next={page.next} />
      </section>
    </>,
  );
}

export function UserState({ disabled }: { disabled: string | number | null }) {
  return disabled === null ? <Chip tone="good">enabled</Chip> : <Chip tone="quiet">disabled</Chip>;
}

export const roleChoices = (roles: readonly string[]) => roles.map((role) => [role, role] as const);

function AddForm({ sent }: { sent: Sent }) {
  const field = { sent, form: "add" };
  return (
    <form method="post" action={USERS}>
      <FormProblem sent={sent} />
      <TextField
        {...field}
        name="id"
        label="Id"
        max={64}
        isRequired
        hint="1 to 64 letters, digits and . _ @ -. It can't be changed, and is never used again."
      />
      <TextField {...field} name="name" label="Name" max={200} isRequired />
      <SelectField
        {...field}
        name="kind"
        label="Kind"
        choices={[
          ["user", "A person"],
          ["service", "A service"],
        ]}
      />
      <CheckboxField
        {...field}
        name="roles"
        label="Roles"
        choices={roleChoices(ROLES)}
        ticked={[]}
        hint={
          <>
            <a href="/admin/policy">Policy</a> shows what each role may do.
          </>
        }
      />
      <TextField
        {...field}
        name="customer_id"
        label="Customer (optional)"
        max={64}
        hint="The customer of the support desk who this is. The role customer needs it."
      />
      <VouchField {...field} />
      <div class="actions">
        <button class="main">Add this user</button>
      </div>
    </form>
  );
}
