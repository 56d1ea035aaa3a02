interface Row {
  /** HTTP status of a request that is refused before a call is dispatched; afterwards the status is 200. */
  http: number;
  /** JSON-RPC error code, unless the refusal is sent as a tool result (JSON-RPC 2.0, section 5.1). */
  jsonRpc: number;
  retryable: boolean;
  /** Tells a model what to do next. */
  next: string;
}

/** The one table of refusals. docs/errors.md shows it; a test keeps the two alike. */
export const refusals = {
  malformed_request: {
    http: 400,
    jsonRpc: -32600,
    retryable: false,
    next: "Send one JSON-RPC 2.0 request, or a batch of up to 100 on the 2025 revisions.",
  },
  request_too_large: {
    http: 413,
    jsonRpc: -32600,
    retryable: false,
    next: "Send a smaller request.",
  },
  request_aborted: {
    http: 408,
    jsonRpc: -32600,
    retryable: true,
    next: "Send the whole request at once, and stay connected for its answer.",
  },
  origin_denied: {
    http: 403,
    jsonRpc: -32600,
    retryable: false,
    next: "Use the server's own URL, or ask its operator to allow this host or origin.",
  },
  unknown_method: {
    http: 404,
    jsonRpc: -32601,
    retryable: false,
    next: "Use a method of the protocol revision in use.",
  },
  unauthenticated: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Send a valid access key as a bearer token.",
  },
  signature_required: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Sign the request as described in docs/signing.md; this access key requires it.",
  },
  signature_malformed: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Send exactly one signature, in Signature and Signature-Input (RFC 9421).",
  },
  signature_incomplete: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Cover every component that docs/signing.md lists, or docs/ucp.md for an agent.",
  },
  signature_parameters: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Give created, expires, a nonce of 128 random bits, keyid and tag as docs/signing.md says, or docs/ucp.md for an agent.",
  },
  signature_digest_mismatch: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Compute Content-Digest from the bytes that you send, then sign.",
  },
  signature_early: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Correct the clock of the signing machine.",
  },
  signature_stale: {
    http: 401,
    jsonRpc: -32000,
    retryable: true,
    next: "Sign again and send at once; if that fails too, correct the clock of the signing machine.",
  },
  signature_key: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Ask an admin for a new signing key.",
  },
  signature_caller: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Use a signing key and a bearer token of the same user.",
  },
  signature_algorithm: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Leave alg out, or name the algorithm that the key was made for.",
  },
  signature_invalid: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Sign exactly what you send (method, URL, headers, body) with the key that keyid names.",
  },
  signature_replayed: {
    http: 401,
    jsonRpc: -32000,
    retryable: true,
    next: "Sign again with a new nonce; each signature is good for one request.",
  },
  key_not_found: {
    http: 401,
    jsonRpc: -32000,
    retryable: false,
    next: "Publish the key under its keyid in keys[] of the agent's profile.",
  },
  digest_mismatch: {
    http: 400,
    jsonRpc: -32600,
    retryable: false,
    next: "Compute Content-Digest from the bytes that you send, then sign.",
  },
  algorithm_unsupported: {
    http: 400,
    jsonRpc: -32600,
    retryable: false,
    next: "Sign with an ES256 or EdDSA key of the agent's profile.",
  },
  permission_denied: {
    http: 403,
    jsonRpc: -32000,
    retryable: false,
    next: "Request the scope named here, or use another tool.",
  },
  flow_blocked: {
    http: 403,
    jsonRpc: -32000,
    retryable: false,
    next: "Stop here, and tell the person you work for; the operator of this server can say more.",
  },
  confirmation_required: {
    http: 403,
    jsonRpc: -32000,
    retryable: false,
    next: "Ask a person to open the link and decide; then call again with the same arguments.",
  },
  rate_limited: {
    http: 429,
    jsonRpc: -32000,
    retryable: true,
    next: "Wait for retryAfterMs, then call again. If a tool takes a list, ask for more in one call.",
  },
  invalid_arguments: {
    http: 400,
    jsonRpc: -32602,
    retryable: false,
    next: "Correct the arguments and call again.",
  },
  unknown_tool: {
    http: 400,
    jsonRpc: -32602,
    retryable: false,
    next: "Use a name from tools/list.",
  },
  not_found: {
    http: 404,
    jsonRpc: -32602,
    retryable: false,
    next: "Search for it, or use one of the names given here; do not guess.",
  },
  invalid_profile_url: {
    http: 400,
    jsonRpc: -32001,
    retryable: false,
    next: "Name the agent's public profile in meta.ucp-agent.profile, as docs/ucp.md describes.",
  },
  profile_unreachable: {
    http: 424,
    jsonRpc: -32001,
    retryable: true,
    next: "Serve the profile without redirects, then call again after retryAfterMs.",
  },
  profile_malformed: {
    http: 422,
    jsonRpc: -32001,
    retryable: false,
    next: "Publish a profile that fits the UCP schema and has at most 128 KiB.",
  },
  version_unsupported: {
    http: 422,
    jsonRpc: -32001,
    retryable: false,
    next: "Use the version that /.well-known/ucp names.",
  },
  conflict: {
    http: 409,
    jsonRpc: -32000,
    retryable: false,
    next: "Read the current state, then decide again.",
  },
  timeout: {
    http: 504,
    jsonRpc: -32000,
    retryable: true,
    next: "Try again, or ask for less at a time.",
  },
  unavailable: {
    http: 503,
    jsonRpc: -32000,
    retryable: true,
    next: "Try again in a few seconds.",
  },
  internal: {
    http: 500,
    jsonRpc: -32603,
    retryable: false,
    next: "Report the reference to the operator; repeating the same call will not help.",
  },
} as const satisfies Record<string, Row>;

export type RefusalCode = keyof typeof refusals;
/** Whether a code, such as one that a record names, is in the table of this release. */
export const isRefusalCode = (code: string): code is RefusalCode => Object.hasOwn(refusals, code);
