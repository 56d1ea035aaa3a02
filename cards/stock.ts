/// <reference lib="dom" />
import { button, make, show } from "./dom.ts";
import { headOf, linkOf, problem } from "./parts.ts";
import { entries, field, list, number, text, webUrl } from "./read.ts";

// The answer of update_inventory: a dry run with what would change, or a change that was made.

export interface StockActions {
  /** Calls update_inventory; undefined if the client calls no tools for the page. */
  update: ((args: object) => Promise<unknown>) | undefined;
  /** Shows the answer of that call. */
  applied: (result: unknown) => void;
}

/** Shows an answer of update_inventory. `args` are the arguments that it answers. */
export function stock(answer: unknown, args: unknown, { update, applied }: StockActions): HTMLElement {
  const id = text(answer, "change_id");
  const lines = list(answer, "changes");
  const isDryRun = id === "";
  const state = isDryRun
    ? "Nothing has changed yet."
    : field(answer, "replayed") === true
      ? `An earlier call made this change: ${id}.`
      : `Changed: ${id}. Ask to undo it by this number.`;
  const reason = text(args, "reason");
  const places = lines.length === 1 ? "1 place" : `${lines.length} places`;
  return make(
    "section",
    { class: "changes" },
    headOf(isDryRun ? `Stock change to review: ${places}` : `Stock changed: ${places}`),
    make("p", { class: `stock ${isDryRun ? "soon" : "good"}` }, state),
    reason === ""
      ? undefined
      : make("p", { class: "reason" }, make("span", { class: "quiet" }, "Reason: "), reason),
    make(
      "div",
      { class: "scroll", role: "region", "aria-label": "Changes", tabindex: "0" },
      make(
        "table",
        {},
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            ...["Product", "Warehouse"].map((name) => make("th", { scope: "col" }, name)),
            ...["Before", "After", "Change"].map((name) =>
              make("th", { scope: "col", class: "number" }, name),
            ),
          ),
        ),
        make("tbody", {}, ...lines.map(lineOf)),
      ),
    ),
    isDryRun ? decision(lines, args, update, applied) : undefined,
  );
}

function lineOf(line: unknown): HTMLElement {
  const before = number(line, "before");
  const after = number(line, "after");
  const by = (after ?? 0) - (before ?? 0);
  const sign = by > 0 ? "up" : by < 0 ? "down" : "";
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, text(line, "sku")),
    make("td", {}, text(line, "warehouse")),
    make("td", { class: "number" }, before === undefined ? "unknown" : String(before)),
    make("td", { class: "number after" }, after === undefined ? "unknown" : String(after)),
    make(
      "td",
      { class: `number ${sign}` },
      before === undefined ? "–" : by > 0 ? `+${by}` : by < 0 ? `−${-by}` : "0",
    ),
  );
}

function decision(
  lines: readonly unknown[],
  args: unknown,
  update: StockActions["update"],
  applied: StockActions["applied"],
): HTMLElement {
  if (update === undefined || list(args, "changes").length === 0)
    return make("p", { class: "quiet" }, "To apply it, tell the assistant.");
  const said = make("div", {});
  const apply = button(
    "Apply this change",
    async () => {
      apply.disabled = true;
      show(said, make("p", { role: "status", class: "quiet" }, "Applying…"));
      try {
        const result = await update(argumentsToApply(args, lines));
        if (field(result, "isError") === true) show(said, ...refused(result));
        else applied(result);
      } catch (error) {
        show(said, problem(error instanceof Error ? error.message : String(error)));
      }
      apply.disabled = false;
    },
    { class: "main" },
  );
  return make("div", { class: "decide" }, apply, said);
}

/** The arguments of the dry run, for exactly the stock that it saw: if anything has changed since, nothing is applied. */
function argumentsToApply(args: unknown, lines: readonly unknown[]): object {
  const changes = list(args, "changes").map((change) => {
    const seen = lines.find((line) =>
      ["sku", "warehouse"].every((name) => text(line, name) === text(change, name)),
    );
    const version = number(seen, "version");
    const own = Object.fromEntries(entries({ change }, "change"));
    return { ...(version !== undefined && { expected_version: version }), ...own };
  });
  return { ...Object.fromEntries(entries({ args }, "args")), changes, dry_run: false };
}

/** A refusal, with the page of the confirmation if a person must decide there. */
function refused(result: unknown): (HTMLElement | undefined)[] {
  const words = textOf(result);
  const details = field(field(result, "_meta"), "product-catalog-mcp/refusal");
  const [page] = list(field(details, "hints"), "confirm_at");
  return [problem(words), linkOf({ url: webUrl(page) }, "for this change", "Open the confirmation page")];
}

/** The text half of a tool's answer. */
export const textOf = (result: unknown): string =>
  list(result, "content")
    .map((block) => text(block, "text"))
    .join("\n");
