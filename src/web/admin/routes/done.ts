/** Says on a page what was just done, by the `done` of its address. */
export const DONE = new Map<string | undefined, string>([
  ["released", "Allowed. The work can go on."],
  ["declined", "Declined. The work stays stopped."],
  ["closed", "Closed."],
  ["disabled", "Disabled. What it holds is refused from the next call on."],
  ["enabled", "Enabled."],
  ["vouched", "Done. The account stands alone from now on."],
  ["deleted", "Deleted. Its keys, sessions and clients are refused; its audit stays."],
]);
