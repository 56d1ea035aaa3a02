/** Whether a URL leads to this machine. */
export const isLoopback = ({ hostname }: URL): boolean =>
  ["127.0.0.1", "localhost", "[::1]"].includes(hostname);

/** Parses a server's URL that secrets may be sent to: https, or this machine. */
export function safeUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error(`${text} is not a URL. It looks like https://YOUR-HOST/mcp`);
  const url = new URL(text);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url))) {
    throw new Error(`${text} would send the key unencrypted. Use https.`);
  }
  return url;
}
