import { hash } from "node:crypto";
import * as z from "zod";
import { type Outcome, ok, refuse } from "../refusal.ts";

/**
 * The end of a page: the sort key of its last row (a price, a name, or its rank by relevance), and its SKU. Callers can
 * read it.
 */
const positionSchema = z.tuple([z.union([z.string(), z.number()]), z.string()]);
export type Position = z.output<typeof positionSchema>;

/** A cursor that a caller sends back. It has room for the longest name with which a page can end. */
export const cursorArgument = z.string().min(1).max(2_000).describe("next_cursor of the page before");

/** Version of the cursor's form. Cursors of earlier releases have none. */
const FORM = 2;
const cursorSchema = z.tuple([z.literal(FORM), z.string(), positionSchema]);
const earlierSchema = z.tuple([z.string(), positionSchema]);

/** `scope` is the query that the cursor belongs to; the next page must ask the same one. */
export function encodeCursor(scope: unknown, position: Position): string {
  const json = JSON.stringify([FORM, fingerprint(scope), position]);
  return Buffer.from(json, "utf8").toString("base64url");
}

export function decodeCursor(scope: unknown, cursor: string): Outcome<Position> {
  const json = parseJson(Buffer.from(cursor, "base64url").toString("utf8"));
  const parsed = cursorSchema.safeParse(json);
  if (!parsed.success)
    return refuse("invalid_arguments", earlierSchema.safeParse(json).success ? EARLIER : UNKNOWN);
  const [, owner, position] = parsed.data;
  if (owner !== fingerprint(scope)) {
    return refuse(
      "invalid_arguments",
      "The cursor belongs to another search: keep the other arguments as they were.",
    );
  }
  return ok(position);
}

const UNKNOWN = "This server did not issue that cursor.";
const EARLIER = "The cursor is from an earlier release of this server: start again without a cursor.";

function fingerprint(scope: unknown): string {
  return hash("sha256", JSON.stringify(scope), "base64url").slice(0, 12);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
