/** Longer ones are kept for nobody; a client's authorization request has room in it. */
const MAX = 8_000;

/** Only a path of this server: a sign-in must not end on somebody else's page. */
export function nextPath(next: unknown, otherwise = "/"): string {
  if (typeof next !== "string" || next.length > MAX) return otherwise;
  // Parsed as a browser would: that drops tabs and turns backslashes round before it looks.
  const base = "http://this.server";
  if (!URL.canParse(next, base)) return otherwise;
  const url = new URL(next, base);
  // "/.//evil.example" comes out as "//evil.example", which a browser takes for a host.
  return url.origin === base && !url.pathname.startsWith("//") ? url.pathname + url.search : otherwise;
}

/** Where somebody signs in and goes on to a path. */
export const signInPath = (next: string): string => `/sign-in?next=${encodeURIComponent(next)}`;
