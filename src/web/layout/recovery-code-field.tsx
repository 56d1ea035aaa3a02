/** Asks for the recovery code if a person's key alone does not let them decide. */
export function RecoveryCode({ id }: { id: string }) {
  return (
    <p class="field">
      <label for={id}>Recovery code</label>
      <input id={id} type="password" name="recovery_code" maxlength={100} autocomplete="off" required />
      <small class="quiet">
        Enter the recovery code, or let another administrator decide. It is needed because a program that
        holds your key could be asking: this is your own work, the same account created you or your key and
        this caller within a week, or people here sign in with a provider and you used a key.
      </small>
    </p>
  );
}
