import * as z from "zod";
import { parseArguments } from "../../validation/arguments.ts";
import { type Page, type Position, positionOf } from "../../database/page.ts";
import { type ApiContext, answer } from "./api-request.ts";

const SIZE_MAX = 1_000;
const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(SIZE_MAX).default(100),
  after: z
    .string()
    .max(2_000)
    .transform((cursor, context) => {
      const position = positionOf(cursor);
      if (position === undefined) context.addIssue("is not a cursor: give `next` of the previous page");
      return position;
    })
    .optional(),
});

/** Answers with one page of a list under the list's name, and the cursor of the next page as `next`. */
export async function list(
  c: ApiContext,
  name: string,
  read: (wanted: { after: Position | undefined; size: number }) => Promise<Page<object>>,
): Promise<Response> {
  const { limit, after } = c.req.query();
  const wanted = parseArguments(pageSchema, { limit, after });
  if (!wanted.ok) return answer(c, wanted.refusal);
  const { rows, next } = await read({ after: wanted.value.after, size: wanted.value.limit });
  return c.json({ [name]: rows, next });
}
