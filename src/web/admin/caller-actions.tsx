import { RecoveryCode } from "../layout/recovery-code-field.tsx";
import type { MayDecide } from "../../identity/who-decides.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import type { Overview } from "../../caller/overview.ts";
import type { Caller } from "../../admin/caller-list.ts";
import { isShared } from "../../admin/vouch.ts";
import { duration } from "./units.ts";
import { Note, callerPath } from "./elements.tsx";
import { EndUserForms } from "./end-user-forms.tsx";

export interface CallerActionsProps {
  caller: Caller;
  overview: Overview;
  /** The caller's open incidents. */
  incidents: Incident[];
  /** How long a release lasts. */
  minutes: number;
  /** Whether this admin may decide (src/identity/who-decides.ts). */
  mayDecide: MayDecide;
  /** The signed-in admin. */
  adminId: string;
  now: number;
}

/** An admin's actions on a caller. Each form is closed at first, so that none is sent by accident. */
export function CallerActions({
  caller,
  overview,
  incidents,
  minutes,
  mayDecide,
  adminId,
  now,
}: CallerActionsProps) {
  const path = callerPath(caller.id);
  const stopping = incidents.filter(({ verdict }) => verdict !== "flag").map(({ rule }) => rule);
  const rules = [...new Set([...(overview.block === null ? [] : [overview.block.rule]), ...stopping])];
  return (
    <div class="actions-list">
      {mayDecide !== "no" && rules.length > 0 && (
        <details class="card action" id="release">
          <summary>Release</summary>
          <form method="post" action={`${path}/release`}>
            <p class="field">
              <label for="rule">Rule to release for {duration(minutes * 60_000)}</label>
              <select id="rule" name="rule">
                <option value="">All: {rules.join(", ")}</option>
                {rules.length > 1 && rules.map((rule) => <option value={rule}>{rule}</option>)}
              </select>
            </p>
            {mayDecide === "with-code" && <RecoveryCode id="release-code" />}
            <Note id="release-note" />
            <div class="actions">
              <button class="main">Release</button>
            </div>
          </form>
        </details>
      )}
      {mayDecide !== "no" && caller.id !== adminId && isShared(caller, now) && (
        <details class="card action" id="vouch">
          <summary>Vouch</summary>
          <form method="post" action={`${path}/vouch`}>
            <p>
              {caller.created_by} created this account within a week, so both share one budget of people.
              Vouch for it if you know its owner. Then it gets its own budget.
            </p>
            {mayDecide === "with-code" && <RecoveryCode id="vouch-code" />}
            <Note id="vouch-note" />
            <div class="actions">
              <button class="main">Vouch for this account</button>
            </div>
          </form>
        </details>
      )}
      {caller.name !== null && caller.deleted_at === null && (
        <EndUserForms id={caller.id} path={path} isDisabled={caller.disabled_at !== null} />
      )}
      <p class="aside">
        <a href={`/admin/audit/${encodeURIComponent(caller.id)}`}>Verify audit</a>
      </p>
    </div>
  );
}
