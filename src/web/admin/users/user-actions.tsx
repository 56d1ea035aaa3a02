import { ROLES } from "../../../identity/scopes.ts";
import { EndUserForms } from "../end-user-forms.tsx";
import { CheckboxField, FormProblem, SelectField, TextField, VouchField } from "../form-fields.tsx";
import type { Sent } from "../form-values.ts";
import type { ListedUser } from "./rows.ts";
import { roleChoices } from "./users-page.tsx";

/** The forms of a user's page that were refused, each as it was sent. */
export interface SentForms {
  keySent: Sent;
  rolesSent: Sent;
}

interface UserActionsProps extends SentForms {
  user: Omit<ListedUser, "keys">;
  roles: readonly string[];
  path: string;
  /** The id of the key that the form makes: a form that is sent twice makes one. */
  newKeyId: string;
}

/** Forms are closed at first, so that none is sent by accident. A form that was refused is open. */
export function UserActions({ user, roles, path, newKeyId, keySent, rolesSent }: UserActionsProps) {
  const isDisabled = user.disabled_at !== null;
  return (
    <div class="actions-list">
      {(!isDisabled || keySent.problems.size > 0) && (
        <details class="card action" id="make-key" open={keySent.problems.size > 0}>
          <summary>Make an access key</summary>
          <KeyForm sent={keySent} roles={roles} path={path} newKeyId={newKeyId} />
        </details>
      )}
      <details class="card action" id="roles" open={rolesSent.problems.size > 0}>
        <summary>Change roles</summary>
        <RolesForm sent={rolesSent} roles={roles} path={path} />
      </details>
      <EndUserForms id={user.id} path={path} isDisabled={isDisabled} />
    </div>
  );
}

function KeyForm({
  sent,
  roles,
  path,
  newKeyId,
}: Pick<UserActionsProps, "roles" | "path" | "newKeyId"> & { sent: Sent }) {
  const field = { sent, form: "key" };
  return (
    <form method="post" action={`${path}/keys`}>
      <FormProblem sent={sent} />
      <input type="hidden" name="id" value={newKeyId} />
      <TextField
        {...field}
        name="label"
        label="Label"
        max={100}
        isRequired
        hint="What it is for, such as the machine that will hold it."
      />
      <SelectField
        {...field}
        name="expires_in_days"
        label="Expires"
        choices={[
          ["90", "in 90 days"],
          ["30", "in 30 days"],
          ["365", "in a year"],
          ["", "never"],
        ]}
      />
      <CheckboxField
        {...field}
        name="roles"
        label="Only these roles (optional)"
        choices={roleChoices(roles)}
        ticked={[]}
        hint="If none is ticked, the key has all of the user's roles, also later ones."
      />
      <SelectField
        {...field}
        name="signature"
        label="Signed requests"
        choices={[
          ["optional", "not needed"],
          ["required", "needed: unsigned requests with it are refused, and nobody can sign in with it"],
        ]}
      />
      <VouchField {...field} />
      <div class="actions">
        <button class="main">Make this key</button>
      </div>
    </form>
  );
}

function RolesForm({ sent, roles, path }: Pick<UserActionsProps, "roles" | "path"> & { sent: Sent }) {
  const field = { sent, form: "roles" };
  // A role that the policy no longer has can only be taken away.
  const choices = [...new Set([...ROLES, ...roles])];
  return (
    <form method="post" action={`${path}/roles`}>
      <FormProblem sent={sent} />
      <CheckboxField {...field} name="roles" label="Roles" choices={roleChoices(choices)} ticked={roles} />
      <TextField
        {...field}
        name="customer_id"
        label="New customer (optional)"
        max={64}
        hint="If it is empty, the customer stays as it is."
      />
      <div class="actions">
        <button class="main">Set these roles</button>
      </div>
    </form>
  );
}
