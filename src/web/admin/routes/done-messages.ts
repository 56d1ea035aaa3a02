/** The message after an action, by the `done` in the page's query. */
export const DONE_MESSAGES = new Map<string | undefined, string>([
  ["released", "Allowed. The work can go on."],
  ["declined", "Declined. The work stays stopped."],
  ["closed", "Closed."],
  ["disabled", "Disabled. Its keys, tokens and sessions are refused from the next call on."],
  ["enabled", "Enabled."],
  ["added", "Added. Make an access key for it, so that it can sign in."],
  ["roles", "The roles are changed, from the next call on."],
  ["revoked", "Revoked. The key is refused from the next call on."],
  ["vouched", "Vouched. The account has its own budget now."],
  ["undone", "Undone."],
  ["deleted", "Deleted. Its keys, sessions and clients are refused; its audit stays."],
]);
