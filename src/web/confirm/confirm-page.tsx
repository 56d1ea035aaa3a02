import { At } from "../admin/elements.tsx";
import { observedWords } from "../admin/incident-words.ts";
import { duration, plural } from "../admin/units.ts";
import type { Rule } from "../../detection/rules.ts";
import { renderPage } from "../layout/page.tsx";
import { RecoveryCode } from "../layout/recovery-code-field.tsx";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Incident } from "../../incidents/incident-record.ts";

interface Question {
  signedIn: SignedIn;
  incident: Incident;
  /** The rule that asked, if the policy still has it. */
  rule: Rule | undefined;
  /** Other incidents that are answered with it. */
  together: Incident[];
  /** Whether the answer needs the recovery code. */
  needsCode: boolean;
  /** Minutes that the work may continue once it is allowed. */
  minutes: number;
}

/** Shows the question. Only administrators see what the rule observed, never the person whose work it is about. */
export function confirmPage({
  signedIn,
  incident,
  rule,
  together,
  needsCode,
  minutes,
}: Question): Promise<Response> {
  const isOwn = signedIn.user.userId === incident.principal;
  return renderPage(
    isOwn ? "Is this your work?" : `Let ${incident.principal} go on?`,
    <form method="post">
      <p>
        {isOwn
          ? "An assistant that works with your access was stopped before its next call. Allow it only if you asked for what it is doing."
          : "A caller was stopped before its next call. Allow it only if you know what it is doing, and for whom. You are asked again if it goes much further."}
      </p>
      <dl>
        <dt>Call</dt>
        <dd>{incident.tool}</dd>
        <dt>When</dt>
        <dd>
          <At at={incident.last_at} />
        </dd>
        {!isOwn && <Seen incident={incident} rule={rule} />}
      </dl>
      {!isOwn && (
        <>
          {together.length > 0 && (
            <p>
              Your answer also decides these waiting rules: {together.map((each) => each.rule).join(", ")}.
            </p>
          )}
          <label for="note">Note for the record</label>
          <input id="note" type="text" name="note" maxlength={500} autocomplete="off" />
        </>
      )}
      {needsCode && <RecoveryCode id="recovery-code" />}
      <div class="actions">
        <button class="main" name="decision" value="allow">
          Allow for {duration(minutes * 60_000)}
        </button>
        <button name="decision" value="decline">
          Decline
        </button>
      </div>
    </form>,
  );
}

function Seen({ incident, rule }: Pick<Question, "incident" | "rule">) {
  return (
    <>
      <dt>Rule</dt>
      <dd>
        {incident.rule} (version {incident.rule_version})
      </dd>
      <dt>Seen</dt>
      <dd>{observedWords(incident, rule)}</dd>
      <dt>How often</dt>
      <dd>{plural(incident.count, "time")}</dd>
    </>
  );
}
