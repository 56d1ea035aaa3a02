import { RecoveryCode } from "../layout/recovery-code-field.tsx";
import type { MayDecide } from "../../identity/who-decides.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import type { Overview } from "../../caller/overview.ts";
import type { Caller } from "../../admin/callers.ts";
import { isShared } from "../../admin/vouch.ts";
import { duration } from "./words.ts";
import { Note, callerPath } from "./elements.tsx";

export interface Acts {
  caller: Caller;
  overview: Overview;
  /** The open ones. */
  incidents: Incident[];
  /** How long work may go on once it is released. */
  minutes: number;
  /** As src/identity/who-decides.ts says. */
  mayDecide: MayDecide;
  /** The user who looks. */
  adminId: string;
  now: number;
}

/** What an admin can do about a caller: forms that open one by one, as none should be sent by a slip. */
export function CallerActs({ caller, overview, incidents, minutes, mayDecide, adminId, now }: Acts) {
  const path = callerPath(caller.id);
  const stopping = incidents.filter(({ verdict }) => verdict !== "flag").map(({ rule }) => rule);
  const rules = [...new Set([...(overview.block === null ? [] : [overview.block.rule]), ...stopping])];
  return (
    <div class="acts">
      {mayDecide !== "no" && rules.length > 0 && (
        <details class="card act" id="release">
          <summary>Release</summary>
          <form method="post" action={`${path}/release`}>
            <p class="field">
              <label for="rule">Past which rule, for {duration(minutes * 60_000)}</label>
              <select id="rule" name="rule">
                <option value="">All that stop it: {rules.join(", ")}</option>
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
        <details class="card act" id="vouch">
          <summary>Vouch</summary>
          <form method="post" action={`${path}/vouch`}>
            <p>
              {caller.created_by} made this account within a week, so both share one budget of people. Vouch
              for it if you know whose it is. Then it stands alone.
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
        <details class="card act" id="enable">
          <summary>{caller.disabled_at === null ? "Disable" : "Enable"}</summary>
          <form method="post" action={`${path}/${caller.disabled_at === null ? "disable" : "enable"}`}>
            <p>
              {caller.disabled_at === null
                ? "Its keys, tokens and browser sessions are refused from the next call on."
                : "What was only suspended is good again: its keys, and tokens that are still young."}
            </p>
            <Note id="enable-note" />
            <div class="actions">
              <button class={caller.disabled_at === null ? "danger" : "main"}>
                {caller.disabled_at === null ? "Disable this caller" : "Enable this caller"}
              </button>
            </div>
          </form>
        </details>
      )}
      {caller.name !== null && caller.deleted_at === null && (
        <details class="card act" id="delete">
          <summary>Delete</summary>
          <form method="post" action={`${path}/delete`}>
            <p>
              Its keys, sign-ins, browser sessions and clients end at once, and this can't be undone. Its
              audit stays, and nobody gets its id again.
            </p>
            <p class="field">
              <label for="delete-id">Its id, to confirm: {caller.id}</label>
              <input id="delete-id" type="text" name="id" autocomplete="off" required />
            </p>
            <div class="actions">
              <button class="danger">Delete this user</button>
            </div>
          </form>
        </details>
      )}
      <p class="aside">
        <a href={`/admin/audit/${encodeURIComponent(caller.id)}`}>Its audit</a>
      </p>
    </div>
  );
}
