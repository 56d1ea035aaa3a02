import type { Child } from "hono/jsx";
import { textOf } from "../layout/form-guards.ts";
import { type Sent, listOf } from "./form-values.ts";

// Fields of the dashboard's forms. Each shows what was sent and what is wrong with it.

interface Field {
  sent: Sent;
  /** Ends the ids of the form's elements, which are unique on a page. */
  form: string;
  name: string;
  label: string;
  hint?: Child;
}

const describedBy = (id: string, hint: Child | undefined, problem: string | undefined) =>
  [...(hint === undefined ? [] : [`${id}-hint`]), ...(problem === undefined ? [] : [`${id}-problem`])].join(
    " ",
  ) || undefined;

function Below({
  id,
  hint,
  problem,
  label,
}: {
  id: string;
  hint?: Child;
  problem: string | undefined;
  label: string;
}) {
  return (
    <>
      {problem !== undefined && (
        <small class="problem" id={`${id}-problem`}>
          {label.replace(" (optional)", "")} {problem}.
        </small>
      )}
      {hint !== undefined && (
        <small class="quiet" id={`${id}-hint`}>
          {hint}
        </small>
      )}
    </>
  );
}

export function TextField({
  sent,
  form,
  name,
  label,
  hint,
  max,
  type = "text",
  isRequired = false,
}: Field & { max: number; type?: "text" | "password"; isRequired?: boolean }) {
  const id = `${form}-${name}`;
  const problem = sent.problems.get(name);
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type}
        name={name}
        value={type === "password" ? undefined : textOf(sent.form, name)}
        maxlength={max}
        autocomplete="off"
        spellcheck={false}
        required={isRequired}
        aria-invalid={problem === undefined ? undefined : "true"}
        aria-describedby={describedBy(id, hint, problem)}
      />
      <Below id={id} hint={hint} problem={problem} label={label} />
    </p>
  );
}

type Choice = readonly [value: string, label: string];

export function SelectField({
  sent,
  form,
  name,
  label,
  hint,
  choices,
}: Field & { choices: readonly Choice[] }) {
  const id = `${form}-${name}`;
  const problem = sent.problems.get(name);
  const chosen = textOf(sent.form, name) || choices[0]?.[0];
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name} aria-describedby={describedBy(id, hint, problem)}>
        {choices.map(([value, words]) => (
          <option value={value} selected={value === chosen}>
            {words}
          </option>
        ))}
      </select>
      <Below id={id} hint={hint} problem={problem} label={label} />
    </p>
  );
}

/** Several choices, of which any number may be ticked. */
export function CheckboxField({
  sent,
  form,
  name,
  label,
  hint,
  choices,
  ticked,
}: Field & { choices: readonly Choice[]; ticked: readonly string[] }) {
  const id = `${form}-${name}`;
  const problem = sent.problems.get(name);
  const isSent = [...sent.form.keys()].length > 0;
  const on = isSent ? listOf(sent.form, name) : ticked;
  return (
    <fieldset class="field" aria-describedby={describedBy(id, hint, problem)}>
      <legend>{label}</legend>
      <div class="ticks">
        {choices.map(([value, words]) => (
          <label>
            <input type="checkbox" name={name} value={value} checked={on.includes(value)} /> {words}
          </label>
        ))}
      </div>
      <Below id={id} hint={hint} problem={problem} label={label} />
    </fieldset>
  );
}

/** The problem of the form as a whole, which screen readers read out. */
export function FormProblem({ sent: { problems } }: { sent: Sent }) {
  if (problems.size === 0) return <></>;
  return (
    <p class="done bad" role="alert">
      {problems.get("") ?? "Nothing was changed: see the marked fields."}
    </p>
  );
}

/** The code that lets a new account or key have a budget of its own. */
export function VouchField({ sent, form }: Pick<Field, "sent" | "form">) {
  return (
    <TextField
      sent={sent}
      form={form}
      name="recovery_code"
      label="Recovery code (optional)"
      type="password"
      max={100}
      hint="With it, the account has its own budget of people at once. Without it, it shares yours for a week."
    />
  );
}
