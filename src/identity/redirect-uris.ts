/**
 * Schemes without a dot that well-known MCP clients use for their own links. RFC 8252 (7.1) asks for a reversed domain
 * name, which these editors and apps do not have.
 */
const KNOWN_SCHEMES = new Set([
  "claude:",
  "cursor:",
  "cursor-nightly:",
  "goose:",
  "kiro:",
  "lmstudio:",
  "raycast:",
  "vscode:",
  "vscode-insiders:",
  "vscodium:",
  "warp:",
  "windsurf:",
  "windsurf-next:",
  "zed:",
]);

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** A reversed domain name, such as com.example.app. */
const REVERSED_DOMAIN = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:$/;

/**
 * Returns whether an authorization code may be sent to a redirect URI: https, http on a loopback host, or a private-use
 * scheme that is a reversed domain name or a known client's. This excludes schemes with a meaning in some operating
 * system, such as `intent:`, `ms-msdt:` or `javascript:`.
 */
export function isAllowedRedirectUri(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname } = new URL(uri);
  if (protocol === "https:") return !hostname.includes("*");
  if (protocol === "http:") return LOOPBACK.test(hostname);
  return KNOWN_SCHEMES.has(protocol) || REVERSED_DOMAIN.test(protocol);
}

/** Describes the allowed redirect URIs in a refusal. */
export const REDIRECT_URI_FORMS =
  "https, http on a loopback host, or a private-use scheme that is a reversed domain name";
