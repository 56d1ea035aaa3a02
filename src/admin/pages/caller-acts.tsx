import type { Incident } from "../../windows/incidents.ts";
import type { Overview } from "../../windows/overview.ts";
import type { Caller } from "../callers.ts";
import { duration } from "../words.ts";
import { Note, callerPath } from "./parts.tsx";

export interface Acts {
  caller: Caller;
  overview: Overview;
  /** The open ones. */
  incidents: Incident[];
  /** How long work may go on once it is released. */
  minutes: number;
  /** False about one's own work, unless one signed in at the provider. */
  mayDecide: boolean;
}

/** What an admin can do about a caller: forms that open one by one, as none should be sent by a slip. */
export function CallerActs({ caller, overview, incidents, minutes, mayDecide }: Acts) {
  const path = callerPath(caller.id);
  const stopping = incidents.filter(({ verdict }) => verdict !== "flag").map(({ rule }) => rule);
  const rules = [...new Set([...(overview.block === null ? [] : [overview.block.rule]), ...stopping])];
  return (
    <div class="acts">
      {mayDecide && rules.length > 0 && (
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
            <Note id="release-note" />
            <div class="actions">
              <button class="main">Release</button>
            </div>
          </form>
        </details>
      )}
      {caller.name !== null && (
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
      <p class="aside">
        <a href={`/admin/audit/${encodeURIComponent(caller.id)}`}>Its audit</a>
      </p>
    </div>
  );
}
