import type { AppContext } from "../../../app-types.ts";
import { type Position, positionOf } from "../../../database/page.ts";

/** Rows on a page of a list. */
export const PAGE = 100;

/** Behind which row the page begins; at the beginning where the address says nothing of sense. */
export const afterOf = (c: AppContext): Position | undefined => positionOf(c.req.query("after") ?? "");
