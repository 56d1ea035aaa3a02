import { Table } from "../data-table.tsx";
import { Ago, Chip } from "../elements.tsx";
import type { AccessKey, SigningKey } from "./rows.ts";

interface Keys<Key> {
  keys: readonly Key[];
  /** The path of the user's page. */
  path: string;
  /** The keys of a disabled user are refused until the user is enabled. */
  isDisabled: boolean;
  now: number;
}

const AgoOrNever = ({ at, now }: { at: string | null; now: number }) =>
  at === null ? <span class="quiet">never</span> : <Ago at={Date.parse(at)} now={now} />;

/** A user's access keys, each with a form that revokes it. */
export function KeyTable({ keys, path, isDisabled, now }: Keys<AccessKey>) {
  return (
    <Table
      label="Access keys"
      rows={keys}
      idOf={({ id }) => id}
      columns={[
        { name: "Key", kind: "row", cell: ({ id }) => id },
        { name: "Label", cell: ({ label }) => label },
        { name: "Roles", cell: KeyRoles },
        { name: "Made", kind: "short", cell: ({ created_at }) => <AgoOrNever at={created_at} now={now} /> },
        {
          name: "Last used",
          kind: "short",
          cell: ({ last_used_at }) => <AgoOrNever at={last_used_at} now={now} />,
        },
        { name: "State", cell: (key) => <KeyState of={key} isDisabled={isDisabled} now={now} /> },
        {
          name: "Revoke",
          cell: (key) => <Revoke of={key} action={`${path}/keys/${key.id}/revoke`} now={now} />,
        },
      ]}
    />
  );
}

/** A user's signing keys, each with a form that revokes it. */
export function SigningKeyTable({ keys, path, isDisabled, now }: Keys<SigningKey>) {
  return (
    <Table
      label="Signing keys"
      rows={keys}
      idOf={({ id }) => id}
      columns={[
        { name: "Key", kind: "row", cell: ({ id }) => id },
        { name: "Label", cell: ({ label }) => label },
        { name: "Algorithm", cell: ({ algorithm }) => algorithm },
        { name: "Made", kind: "short", cell: ({ created_at }) => <AgoOrNever at={created_at} now={now} /> },
        {
          name: "Last used",
          kind: "short",
          cell: ({ last_used_at }) => <AgoOrNever at={last_used_at} now={now} />,
        },
        { name: "State", cell: (key) => <KeyState of={key} isDisabled={isDisabled} now={now} /> },
        {
          name: "Revoke",
          cell: (key) => <Revoke of={key} action={`${path}/signing-keys/${key.id}/revoke`} now={now} />,
        },
      ]}
    />
  );
}

function KeyRoles({ roles, signature }: AccessKey) {
  return (
    <>
      {roles === null ? <span class="quiet">all of the user</span> : roles.join(", ")}
      {signature === "required" && ", signed requests only"}
    </>
  );
}

const isOver = ({ expires_at }: Pick<AccessKey, "expires_at">, now: number): boolean =>
  expires_at !== null && Date.parse(expires_at) <= now;

function KeyState({
  of: key,
  isDisabled,
  now,
}: {
  of: AccessKey | SigningKey;
  isDisabled: boolean;
  now: number;
}) {
  if (key.revoked_at !== null) return <Chip tone="quiet">revoked</Chip>;
  if (isOver(key, now)) return <Chip tone="quiet">expired</Chip>;
  return (
    <>
      {isDisabled ? <Chip tone="quiet">refused: the user is disabled</Chip> : <Chip tone="good">valid</Chip>}
      {key.expires_at !== null && ` until ${key.expires_at.slice(0, 10)}`}
    </>
  );
}

function Revoke({ of: key, action, now }: { of: AccessKey | SigningKey; action: string; now: number }) {
  if (key.revoked_at !== null || isOver(key, now)) return <></>;
  return (
    <details id={`revoke-${key.id}`}>
      <summary>
        Revoke<span class="hidden"> {key.id}</span>
      </summary>
      <form method="post" action={action}>
        <p>Requests with it, and sign-ins by it, are refused from the next call on. This can't be undone.</p>
        <button class="danger small">Revoke this key</button>
      </form>
    </details>
  );
}
