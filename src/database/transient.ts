// D1 errors have no code and no `retryable` field, so only their messages can tell them apart.
// https://developers.cloudflare.com/d1/observability/debug-d1/#error-list
const TRANSIENT = [
  "Network connection lost",
  "caused object to be reset",
  "reset because its code was updated",
  "D1 DB is overloaded",
  "Internal error while starting up D1 DB",
  "Cannot resolve D1 DB due to transient issue",
  "Too many API requests by single worker invocation",
];

// https://developers.cloudflare.com/kv/observability/ : "KV GET failed: 503 Service Unavailable".
const TRANSIENT_KV = /^KV [A-Z]+ failed: (?:429|5\d\d)\b/;

/** Returns whether an error of D1 or KV is temporary. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return TRANSIENT.some((message) => error.message.includes(message)) || TRANSIENT_KV.test(error.message);
}
