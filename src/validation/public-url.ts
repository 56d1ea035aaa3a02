// Addresses that somebody else chooses and this server fetches. A Worker cannot see the address that a name resolves to, and
// Cloudflare routes no fetch to a private one; names and literals that are private by themselves are refused here.

/** Top-level names that no public server has: RFC 6761 and its registry, and what private networks use instead. */
const SPECIAL_NAMES =
  /(^|\.)(alt|arpa|internal|invalid|local|localhost|onion|test|intranet|private|corp|home|lan|localdomain)$/;

/** Lets http servers on this machine stand for public servers. Only the local Worker sets it (src/local/worker.ts). */
export const loopback = { isAllowed: false };

/** Returns the URL; undefined unless it is https on the usual port of a public name, without credentials. */
export function publicUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  url.hash = "";
  if (loopback.isAllowed && url.protocol === "http:" && url.hostname === "127.0.0.1") return url;
  if (url.protocol !== "https:" || url.port !== "") return undefined;
  url.hostname = url.hostname.replace(/\.$/, "");
  // An address of either family is no name: IPv6 has brackets, and the URL parser writes every form of IPv4 as numbers.
  const isName = /\.[a-z][a-z0-9-]*$/.test(url.hostname);
  return isName && !SPECIAL_NAMES.test(url.hostname) ? url : undefined;
}
