/**
 * An OAuthClientProvider, as the official SDK and the frameworks on it want one, that keeps everything in memory. It
 * only notes the page to open, because clients do not wait for a person there.
 */
export function newProvider() {
  const kept = {};
  return {
    kept,
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
    redirectToAuthorization: (url) => void (kept.page = url),
  };
}
