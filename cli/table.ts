import Table from "cli-table3";

/** Draws no line between rows. */
export const DENSE = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/** A table without colours, as every command prints it. */
export const plainTable = (head: string[]): Table.Table =>
  new Table({ head, style: { head: [], border: [] }, chars: DENSE });
