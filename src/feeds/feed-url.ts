import { publicUrl } from "../validation/public-url.ts";

/** A feed's URL without its credentials, and the header that carries them. Returns undefined for a URL that no feed may have. */
export function feedUrl(text: string): { url: URL; authorization: string | undefined } | undefined {
  const parsed = URL.parse(text);
  if (parsed === null) return undefined;
  const { username, password } = parsed;
  parsed.username = "";
  parsed.password = "";
  const url = publicUrl(parsed.href);
  if (url === undefined) return undefined;
  const pair = decoded(`${username}:${password}`);
  if (pair === undefined) return undefined;
  const authorization =
    username + password === "" ? undefined : `Basic ${Buffer.from(pair).toString("base64")}`;
  return { url, authorization };
}

/** URL.parse keeps a percent sign that begins no code, or one of bytes that are not UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The URL as people may see it: its query and credentials may be secret. */
export const shownUrl = ({ host, pathname }: URL): string => `${host}${pathname}`;
