import type { Page } from "../../../database/page.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { adminPage } from "../admin-page.tsx";
import { At, CallerLink, Card, Done } from "../elements.tsx";
import { Pager } from "../pager.tsx";
import { KeyTable, SigningKeyTable } from "./key-tables.tsx";
import { NewKey } from "./new-key.tsx";
import { USERS, userPath } from "./paths.ts";
import type { AccessKey, ListedUser, SigningKey } from "./rows.ts";
import { type SentForms, UserActions } from "./user-actions.tsx";
import { UserState } from "./users-page.tsx";

interface UserPage extends SentForms {
  admin: SignedIn;
  user: Omit<ListedUser, "keys">;
  /** The user's roles. */
  roles: string[];
  keys: Page<AccessKey>;
  signingKeys: Page<SigningKey>;
  /** The id of the key that the form makes: a form that is sent twice makes one. */
  newKeyId: string;
  /** The end of the previous page of keys; undefined on the first. */
  cursor: string | undefined;
  /** The result of the last action. */
  message?: string | undefined;
  /** The key that was just made. */
  made?: { id: string; secret: string };
  status?: 409;
  now: number;
}

/** A user with their roles and keys, and what an admin can change. */
export function userPage(page: UserPage): Promise<Response> {
  const { admin, user, roles, keys, signingKeys, cursor, message, made, status, now } = page;
  const path = userPath(user.id);
  return adminPage(
    {
      admin,
      title: user.id,
      section: USERS,
      copies: made !== undefined,
      ...(status !== undefined && { status }),
    },
    <>
      {made !== undefined && <NewKey {...made} />}
      {message !== undefined && <Done isBad={status !== undefined}>{message}</Done>}
      <UserActions {...page} path={path} />
      <Card title="User">
        <dl class="facts">
          <dt>Name</dt>
          <dd>{user.name}</dd>
          <dt>Kind</dt>
          <dd>{user.kind === "service" ? "A service" : "A person"}</dd>
          <dt>Roles</dt>
          <dd>{roles.join(", ") || "none"}</dd>
          {user.customer_id !== null && (
            <>
              <dt>Customer</dt>
              <dd>{user.customer_id}</dd>
            </>
          )}
          <dt>State</dt>
          <dd>
            <UserState disabled={user.disabled_at} />
          </dd>
          <dt>Added</dt>
          <dd>
            <At at={Date.parse(user.created_at)} />
            {user.created_by !== null && ` by ${makerWords(user.created_by)}`}
          </dd>
          <dt>Calls</dt>
          <dd>
            <CallerLink id={user.id} />: limits, incidents, latest calls and changes
          </dd>
        </dl>
      </Card>
      <Card title="Access keys">
        {keys.rows.length === 0 ? (
          <p class="quiet">No access key.</p>
        ) : (
          <KeyTable keys={keys.rows} path={path} isDisabled={user.disabled_at !== null} now={now} />
        )}
        <Pager list={path} cursor={cursor} next={keys.next} />
      </Card>
      {signingKeys.rows.length > 0 && (
        <Card title="Signing keys">
          <SigningKeyTable
            keys={signingKeys.rows}
            path={path}
            isDisabled={user.disabled_at !== null}
            now={now}
          />
          {signingKeys.next !== null && <p class="quiet">The latest {signingKeys.rows.length} are shown.</p>}
        </Card>
      )}
    </>,
  );
}

/** The creator of a user in words. */
function makerWords(by: string): string {
  if (by === "sign-on") return "the sign-in provider";
  return by === "@bootstrap" ? "the command users bootstrap" : by;
}
