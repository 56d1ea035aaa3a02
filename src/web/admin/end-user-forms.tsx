import { Note } from "./elements.tsx";

interface EndUserFormsProps {
  id: string;
  /** The page that takes the forms. */
  path: string;
  isDisabled: boolean;
}

/** The forms that disable, enable and delete a user. */
export function EndUserForms({ id, path, isDisabled }: EndUserFormsProps) {
  return (
    <>
      <details class="card action" id="enable">
        <summary>{isDisabled ? "Enable" : "Disable"}</summary>
        <form method="post" action={`${path}/${isDisabled ? "enable" : "disable"}`}>
          <p>
            {isDisabled
              ? "Its keys, and tokens that have not expired, work again."
              : "Its keys, tokens and browser sessions are refused from the next call on."}
          </p>
          <Note id="enable-note" />
          <div class="actions">
            <button class={isDisabled ? "main" : "danger"}>
              {isDisabled ? "Enable" : "Disable"} this user
            </button>
          </div>
        </form>
      </details>
      <details class="card action" id="delete">
        <summary>Delete</summary>
        <form method="post" action={`${path}/delete`}>
          <p>
            Its keys, sign-ins, browser sessions and clients end at once. This can't be undone. Its audit
            stays, and its id is never used again.
          </p>
          <p class="field">
            <label for="delete-id">Enter the id to confirm: {id}</label>
            <input id="delete-id" type="text" name="id" autocomplete="off" required />
          </p>
          <div class="actions">
            <button class="danger">Delete this user</button>
          </div>
        </form>
      </details>
    </>
  );
}
