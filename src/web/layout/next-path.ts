/** Bytes, as anybody may have one kept in the database for ten minutes. A client's authorization request is some 600. */
const MAX = 2_048;

/** Only a path of this server: a sign-in must not end on somebody else's page. */
export function nextPath(next: unknown, otherwise = "/"): string {
  if (typeof next !== "string") return otherwise;
  // Parsed as a browser would: that drops tabs and turns backslashes round before it looks.
  const base = "http://this.server";
  if (!URL.canParse(next, base)) return otherwise;
  const url = new URL(next, base);
  // "/.//evil.example" comes out as "//evil.example", which a browser takes for a host.
  const path = url.pathname + url.search;
  // Counted when it is ASCII: one character is up to twelve bytes of it.
  const isOurs = url.origin === base && !url.pathname.startsWith("//") && path.length <= MAX;
  return isOurs ? path : otherwise;
}

/** Where somebody signs in and goes on to a path. */
export const signInPath = (next: string): string => `/sign-in?next=${encodeURIComponent(next)}`;
