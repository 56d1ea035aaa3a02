import type { Child } from "hono/jsx";
import type { SignOnSettings } from "../../env.ts";
import type { OwnKey } from "../../identity/access-keys.ts";
import { credentialId } from "../../identity/credentials.ts";
import type { Connection } from "../../identity/grants.ts";
import { renderPage } from "../layout/page.tsx";
import { scopesOf } from "../../identity/scopes.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import { providerHost } from "../sign-in/sign-in-page.tsx";

interface Account {
  signedIn: SignedIn;
  signOn: SignOnSettings | undefined;
  /** Undefined if the person signed in with only some of their roles. */
  own: { connections: Connection[]; keys: OwnKey[] } | undefined;
}

/** Shows who is signed in, and what they can revoke. */
export function accountPage({ signedIn, signOn, own }: Account): Promise<Response> {
  const { user, credential, signedInAt, interactive } = signedIn;
  const by = interactive
    ? signOn === undefined
      ? "a provider"
      : providerHost(signOn)
    : credentialId(credential);
  return renderPage(
    "Your account",
    <>
      <dl>
        <dt>Name</dt>
        <dd>{user.name}</dd>
        <dt>User</dt>
        <dd>{user.userId}</dd>
        <dt>Roles</dt>
        <dd>{user.roles.join(", ") || "none"}</dd>
        {user.customerId !== undefined && (
          <>
            <dt>Customer</dt>
            <dd>{user.customerId}</dd>
          </>
        )}
        <dt>Signed in</dt>
        <dd>
          by {by}, <Time at={signedInAt} />
        </dd>
      </dl>
      {scopesOf(user.roles).includes("admin") && (
        <p>
          <a href="/admin">Dashboard</a>
        </p>
      )}
      <form method="post" action="/sign-out">
        <div class="actions">
          <button>Sign out</button>
        </div>
      </form>
      {own === undefined ? (
        <p class="quiet">
          You signed in with a key that has only some of your roles. To see and revoke your clients and keys,
          sign in with all of them.
        </p>
      ) : (
        <>
          <h2>Connected clients</h2>
          {own.connections.length === 0 ? (
            <p class="quiet">No client is connected.</p>
          ) : (
            <ul class="things">
              {own.connections.map((connection) => (
                <ConnectionItem {...connection} />
              ))}
            </ul>
          )}
          <h2>Access keys</h2>
          {own.keys.length === 0 ? (
            <p class="quiet">You have no access key.</p>
          ) : (
            <ul class="things">
              {own.keys.map((key) => (
                <KeyItem {...key} isThis={key.id === credentialId(credential)} />
              ))}
            </ul>
          )}
        </>
      )}
    </>,
  );
}

function ConnectionItem({ id, name, destination, scope, connectedAt, renewedAt, endsAt }: Connection) {
  return (
    <Revocable action="/account/clients/revoke" id={id} name={name}>
      <small>{scope.join(", ")}</small>
      <small>Access goes to {destination}</small>
      <small>
        Connected <Time at={connectedAt} />
      </small>
      <small>
        Last renewed <Time at={renewedAt} />
        {endsAt !== undefined && (
          <>
            , ends <Time at={endsAt} /> if not used
          </>
        )}
      </small>
    </Revocable>
  );
}

function KeyItem({
  id,
  label,
  roles,
  createdAt,
  lastUsedAt,
  expiresAt,
  isThis,
}: OwnKey & { isThis: boolean }) {
  return (
    <Revocable action="/account/keys/revoke" id={id} name={label}>
      <small>
        {id}
        {isThis && ", which you signed in with"}
      </small>
      {roles !== null && <small>Only {roles.join(", ")}</small>}
      <small>
        Made <Time at={createdAt} />
        {expiresAt !== null && (
          <>
            , expires <Time at={expiresAt} />
          </>
        )}
      </small>
      <small>
        {lastUsedAt === null ? (
          "Never used"
        ) : (
          <>
            Last used <Time at={lastUsedAt} />, give or take an hour
          </>
        )}
      </small>
    </Revocable>
  );
}

/** Something that can be revoked, with its details. */
function Revocable({
  action,
  id,
  name,
  children,
}: {
  action: string;
  id: string;
  name: string;
  children?: Child;
}) {
  return (
    <li>
      <strong>{name}</strong>
      {children}
      <form method="post" action={action}>
        <input type="hidden" name="id" value={id} />
        <button aria-label={`Revoke ${name}`}>Revoke</button>
      </form>
    </li>
  );
}

const FORMAT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

function Time({ at }: { at: number }) {
  return <time datetime={new Date(at).toISOString()}>{FORMAT.format(at)} UTC</time>;
}
