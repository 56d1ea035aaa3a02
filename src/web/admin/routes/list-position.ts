import type { AppContext } from "../../../app-types.ts";
import { type Position, positionOf } from "../../../database/page.ts";

/** Rows on a page of a list. */
export const PAGE_SIZE = 100;

/** The row that the page follows; undefined, which is the first page, if the cursor is missing or invalid. */
export const afterOf = (c: AppContext): Position | undefined => positionOf(c.req.query("after") ?? "");
