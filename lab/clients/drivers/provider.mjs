import { allow } from "./person.mjs";

/** An OAuthClientProvider, as the official SDK and the frameworks on it want one, that keeps everything in memory. */
export function newProvider(key) {
  const kept = {};
  return {
    kept,
    /** The scopes to tick at the next sign-in; undefined for all. */
    ticked: undefined,
    redirectUrl: "http://127.0.0.1:33418/callback",
    clientMetadata: {
      client_name: "lab clients",
      redirect_uris: ["http://127.0.0.1:33418/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    invalidateCredentials: () => void delete kept.tokens,
    state: () => "lab",
    storedState: () => "lab",
    async redirectToAuthorization(url) {
      const callback = await allow(url, key, this.ticked);
      kept.code = callback.searchParams.get("code");
      kept.callback = callback;
    },
  };
}
