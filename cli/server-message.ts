import * as z from "zod";
import { clip, plainLine } from "../src/text/plain-text.ts";
import { parseJson } from "./read-file.ts";

const MESSAGE_MAX = 500;

const errorSchema = z.union([
  // OAuth errors (RFC 6749, section 5.2): `error` is a code.
  z.looseObject({ error_description: z.string() }).transform((body) => body.error_description),
  z.looseObject({ error: z.looseObject({ message: z.string() }) }).transform((body) => body.error.message),
  z.looseObject({ error: z.string() }).transform((body) => body.error),
]);

/**
 * Returns the server's reason for a refusal in one line: the error's description, else the text. Empty if the
 * body is an HTML page.
 */
export async function serverMessage(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  const isPage = response.headers.get("content-type")?.includes("html") === true;
  return clip(plainLine(errorSchema.safeParse(parseJson(text)).data ?? (isPage ? "" : text)), MESSAGE_MAX);
}
