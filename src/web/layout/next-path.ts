/**
 * Bytes. Bounded because anybody can have a path stored in the database for ten minutes. A client's authorization
 * request takes some 600.
 */
const MAX = 2_048;

/** Accepts only paths of this server, because a sign-in must not end on somebody else's page. */
export function nextPath(next: unknown, otherwise = "/"): string {
  if (typeof next !== "string") return otherwise;
  // Parsed like a browser does: browsers first drop tabs and turn backslashes into slashes.
  const base = "http://this.server";
  if (!URL.canParse(next, base)) return otherwise;
  const url = new URL(next, base);
  // "/.//evil.example" becomes "//evil.example", which a browser reads as a host.
  const path = url.pathname + url.search;
  // Measured once it is ASCII, because one character may take up to twelve bytes there.
  const isOurs = url.origin === base && !url.pathname.startsWith("//") && path.length <= MAX;
  return isOurs ? path : otherwise;
}

/** Returns the sign-in page that continues to a path. */
export const signInPath = (next: string): string => `/sign-in?next=${encodeURIComponent(next)}`;
