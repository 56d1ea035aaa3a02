// The local stand-in for the Worker while it cannot be built.

import { PROOF_PATH, proofOf } from "./proof.ts";

export interface NotBuiltEnv {
  LOCAL_KEY: string;
  /** The reason why the Worker cannot be built. */
  REASON: string;
}

export default {
  fetch(request, { LOCAL_KEY, REASON }) {
    const { pathname, searchParams } = new URL(request.url);
    // Without the proof, another start would take over the state folder.
    if (pathname === PROOF_PATH) return new Response(proofOf(searchParams.get("nonce") ?? "", LOCAL_KEY));
    return new Response(`The Worker cannot be built, so nothing is served:\n${REASON}\n`, {
      status: 503,
      headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
    });
  },
} satisfies ExportedHandler<NotBuiltEnv>;
