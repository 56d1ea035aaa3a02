/**
 * A signed request as a curl command. The token stays out of it: `token` is how the shell gets it.
 * `data` is the body, or @ and the file that it is in.
 */
export function curlOf(url: URL, headers: Headers, token: string, data: string): string {
  const lines = Array.from(headers, ([name, value]) =>
    name === "authorization" ? `-H "Authorization: Bearer ${token}"` : `-H ${quote(`${name}: ${value}`)}`,
  );
  return [`curl -s ${quote(url.href)}`, ...lines, `--data-binary ${quote(data)}`].join(" \\\n  ");
}

/** For a POSIX shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
