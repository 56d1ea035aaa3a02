/** Returns the client's id from HTTP Basic (RFC 6749, 2.3.1), where it is form-encoded; undefined if there is none. */
export function basicClientId(authorization: string | null | undefined): string | undefined {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(authorization ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const [id = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return new URLSearchParams(`id=${id}`).get("id") ?? "";
}
