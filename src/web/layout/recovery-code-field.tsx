/** Asks for the recovery code of somebody whose key alone does not let them decide. */
export function RecoveryCode({ id }: { id: string }) {
  return (
    <p class="field">
      <label for={id}>Recovery code</label>
      <input id={id} type="password" name="recovery_code" maxlength={100} autocomplete="off" required />
      <small class="quiet">
        This is your own work, you or your key and this caller were made by the same account within a week, or
        people here sign in by a provider and you used a key. A program that holds the key could be asking.
        Enter the recovery code, or let another administrator decide.
      </small>
    </p>
  );
}
