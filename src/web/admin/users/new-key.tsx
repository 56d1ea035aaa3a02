/** A key that was just made. It is on this page alone: no later one shows it. */
export function NewKey({ id, secret }: { id: string; secret: string }) {
  return (
    <section class="card lead good" aria-label="The new key" id="new-key">
      <h2>The key {id}</h2>
      <p role="status">Copy it now. It is shown once, and not stored.</p>
      <p class="secret">
        <code id="secret" tabindex={0}>
          {secret}
        </code>
        <button type="button" class="main" id="copy-secret" hidden>
          Copy
        </button>
      </p>
      <p class="quiet">
        Its owner signs in with it, or sends it as a bearer token. If somebody else may have seen it, revoke
        it below.
      </p>
    </section>
  );
}
