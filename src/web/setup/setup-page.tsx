import { renderPage } from "../layout/page.tsx";
import { CODE_MS } from "../../setup/server-setup.ts";

const TITLE = "Set up this server";

/** `logged`: a code was just written to the log. `waiting`: one was written seconds ago. */
export type CodeStatus = "logged" | "waiting";

interface SetupPage {
  /** The entered user id. */
  id?: string;
  status?: CodeStatus;
  problem?: { field: "code" | "id"; text: string };
}

/** Asks for the code from the server's log and for the first admin's id. */
export function setupPage({ id = "", status, problem }: SetupPage): Promise<Response> {
  return renderPage(
    TITLE,
    <>
      <p>
        This server has no administrator yet. To prove that it is yours, read a code from its log and enter it
        here.
      </p>
      <ol class="steps">
        <li>
          In the project's folder, run <code>npx wrangler tail</code> and leave it running. The Cloudflare
          dashboard shows the same log, on the Worker's page.
        </li>
        <li>
          Write a code to the log.
          <form method="post" action="/setup/code">
            <div class="actions">
              <button class={problem === undefined && status === undefined ? "main" : ""}>
                Write a code to the log
              </button>
            </div>
          </form>
          {status !== undefined && <p role="status">{STATUS_WORDS[status]}</p>}
        </li>
        <li>Enter the code, and choose the administrator's id.</li>
      </ol>
      <form method="post" action="/setup">
        <Field
          name="code"
          label="Code from the log"
          value=""
          hint={`The line setup_code has it: 20 letters and digits, valid for ${CODE_MS / 60_000} minutes.`}
          problem={problem?.field === "code" ? problem.text : undefined}
        />
        <Field
          name="id"
          label="Administrator's id"
          value={id}
          hint="For example your name or e-mail address. It can't be changed later."
          problem={problem?.field === "id" ? problem.text : undefined}
        />
        <div class="actions">
          <button class={problem === undefined && status === undefined ? "" : "main"}>
            Create the administrator
          </button>
        </div>
      </form>
    </>,
    { status: problem === undefined ? 200 : problem.field === "code" ? 403 : 400 },
  );
}

const STATUS_WORDS: Record<CodeStatus, string> = {
  logged: "The code is in the log now.",
  waiting: "A code was written to the log a few seconds ago. Look there, or press again in ten seconds.",
};

interface FieldProps {
  name: "code" | "id";
  label: string;
  value: string;
  hint: string;
  problem: string | undefined;
}

function Field({ name, label, value, hint, problem }: FieldProps) {
  return (
    <>
      <label for={name}>{label}</label>
      <input
        id={name}
        type="text"
        name={name}
        value={value}
        required
        maxlength={100}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={problem === undefined ? `${name}-hint` : `${name}-problem ${name}-hint`}
        aria-invalid={problem !== undefined}
      />
      {problem !== undefined && (
        <p class="bad" id={`${name}-problem`} role="alert">
          {problem}
        </p>
      )}
      <p class="quiet" id={`${name}-hint`}>
        {hint}
      </p>
    </>
  );
}

/** Shows the first admin's access key and the recovery code, once. */
export function claimedPage(id: string, secret: string, recoveryCode: string): Promise<Response> {
  return renderPage(
    "This server is yours",
    <>
      <p>
        <strong>{id}</strong> is its administrator, and you are signed in. Keep these two secrets now: this
        page can't be shown again.
      </p>
      <h2>Access key</h2>
      <p>
        <code>{secret}</code>
      </p>
      <p class="quiet">
        Signs you in here, and is the <code>CATALOG_ADMIN_KEY</code> of the command line. Keep it in a
        password manager.
      </p>
      <h2>Recovery code</h2>
      <p>
        <code>{recoveryCode}</code>
      </p>
      <p class="quiet">
        Print it, and keep it where no program can read it. A sole administrator needs it to decide about
        their own stopped work and to vouch for new users.
      </p>
      <p>
        Next, import your catalog and <a href="/admin">open the dashboard</a>.
      </p>
    </>,
  );
}

/** Says that the setup is over. */
export function closedPage(): Promise<Response> {
  return renderPage(
    "This server is already set up",
    <>
      <p>Its first administrator exists, so this page makes no other.</p>
      <p>
        <a href="/sign-in">Sign in</a>, or ask an administrator for an access key. If the database was
        restored to a time before the setup, the operator makes an administrator on the command line, as
        docs/deploy.md says.
      </p>
    </>,
    { status: 409 },
  );
}
