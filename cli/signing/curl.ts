/**
 * Formats a signed request as a curl command. `token` is the shell expression that supplies the token, so the
 * command does not contain it. `data` is the body, or @ and the name of a file that holds it.
 */
export function curlOf(url: URL, headers: Headers, token: string, data: string): string {
  const lines = Array.from(headers, ([name, value]) =>
    name === "authorization" ? `-H "Authorization: Bearer ${token}"` : `-H ${quote(`${name}: ${value}`)}`,
  );
  return [`curl -s ${quote(url.href)}`, ...lines, `--data-binary ${quote(data)}`].join(" \\\n  ");
}

/** Quotes text for a POSIX shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
