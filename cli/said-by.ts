import * as z from "zod";
import { clip, plainLine } from "../src/text/plain-text.ts";
import { parseJson } from "./read-file.ts";

const SAID_MAX = 500;

const errorSchema = z.union([
  // OAuth (RFC 6749, section 5.2), whose `error` is a code.
  z.looseObject({ error_description: z.string() }).transform((body) => body.error_description),
  z.looseObject({ error: z.looseObject({ message: z.string() }) }).transform((body) => body.error.message),
  z.looseObject({ error: z.string() }).transform((body) => body.error),
]);

/** Why a server refused, in its own words: of an error its description, else the text. One line; empty where that is a page. */
export async function saidBy(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  const isPage = response.headers.get("content-type")?.includes("html") === true;
  return clip(plainLine(errorSchema.safeParse(parseJson(text)).data ?? (isPage ? "" : text)), SAID_MAX);
}
