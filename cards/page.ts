/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { compare } from "./compare.ts";
import { detail } from "./detail.ts";
import { focusOn, make, show } from "./dom.ts";
import { callTool, canCall, connect, on, tellModel } from "./host.ts";
import { headOf, problem } from "./parts.ts";
import { type Offer, type Product, readDetail, readProducts } from "./product.ts";
import { entries, field, list, text } from "./read.ts";
import { results } from "./results.ts";
import { stock, textOf } from "./stock.ts";

// The page that a client shows beside an answer of search_products, get_product or update_inventory. It draws what the client
// hands it, and asks for more only through the client, whose calls the server's guard decides like any other.

const main = make("main", {});
const status = make("p", { class: "hidden", role: "status" });
document.body.append(main, status);

/** The arguments of the call that the page was opened for. */
let args: unknown;

const say = (words: string): void => void (status.textContent = words);

/** Shows a view. One that a person asked for takes the focus. */
function open(view: HTMLElement, isAsked = true): void {
  show(main, view);
  const heading = view.querySelector("h1");
  if (isAsked && heading !== null) focusOn(heading);
}

/** Shows a problem above a view, which stays. */
function complain(view: HTMLElement, error: unknown): void {
  view.querySelector(".problem")?.remove();
  view.querySelector("header")?.after(problem(error instanceof Error ? error.message : String(error)));
}

/** Calls a tool, and returns its structured answer. Throws with the refusal's text. */
async function read(tool: string, asked: object): Promise<unknown> {
  const result = await callTool(tool, asked);
  if (field(result, "isError") === true) throw new Error(textOf(result));
  return result;
}

const structured = (result: unknown): unknown => field(result, "structuredContent");

function showProducts(products: readonly Product[], answer: unknown, isAsked: boolean): void {
  const cursor = text(answer, "next_cursor");
  const view = results(titleOf(products), products, {
    say,
    open: canCall() ? (product) => openProduct(product, view) : undefined,
    compare: (chosen) => openComparison(chosen, view),
    more:
      cursor === "" || !canCall()
        ? undefined
        : async () => {
            try {
              const next = await read("search_products", {
                ...Object.fromEntries(entries({ args }, "args")),
                cursor,
              });
              showProducts([...products, ...readProducts(next)], structured(next), true);
            } catch (error) {
              complain(view, error);
            }
          },
  });
  if (products.length === 0)
    view.append(make("p", { class: "quiet" }, text(answer, "notice") || "No product matches."));
  open(view, isAsked);
}

function titleOf(products: readonly Product[]): string {
  const query = text(args, "query");
  const count = products.length === 1 ? "1 product" : `${products.length} products`;
  return query === "" ? count : `${count} for “${query}”`;
}

async function openProduct({ sku, name }: Product, from: HTMLElement): Promise<void> {
  say(`Opening ${name}`);
  try {
    const answer = structured(await read("get_product", { sku }));
    open(detail(readDetail(answer), { say, chose, back: () => open(from) }));
    await tellModel(`On the product card the person opened ${sku}.`);
  } catch (error) {
    complain(from, error);
  }
}

const chose = ({ sku }: Offer): void =>
  void tellModel(`On the product card the person chose the variant ${sku}.`);

async function openComparison(chosen: readonly Product[], from: HTMLElement): Promise<void> {
  say("Comparing");
  const compared = await Promise.all(
    chosen.map(async (product) => {
      if (!canCall()) return product;
      try {
        const { facts, choices } = readDetail(structured(await read("get_product", { sku: product.sku })));
        return { ...product, facts, choices };
      } catch {
        // The search's answer is enough for a comparison.
        return product;
      }
    }),
  );
  open(compare(compared, () => open(from)));
  await tellModel(`On the product cards the person compares ${chosen.map(({ sku }) => sku).join(", ")}.`);
}

function showStock(answer: unknown, isAsked: boolean): void {
  const update = canCall() ? (asked: object) => callTool("update_inventory", asked) : undefined;
  const view = stock(answer, args, {
    update,
    applied(result) {
      const done = structured(result);
      showStock(done, true);
      void tellModel(`The person applied the stock change on its card: ${text(done, "change_id")}.`);
    },
  });
  open(view, isAsked);
}

function showResult(result: unknown): void {
  const answer = structured(result);
  if (field(result, "isError") === true)
    open(make("section", {}, headOf("No answer"), problem(textOf(result))), false);
  else if (Array.isArray(field(answer, "products"))) showProducts(readProducts(result), answer, false);
  else if (list(answer, "changes").length > 0) showStock(answer, false);
  else if (text(answer, "sku") !== "")
    open(detail(readDetail(answer), { say, chose, back: undefined }), false);
  // A shape that this page does not know has its text, which is complete.
  else open(make("section", {}, headOf("Answer"), make("pre", {}, textOf(result))), false);
}

/** The client's colours that the page uses, all or none: one alone could make texts unreadable. */
const COLOURS = [
  "background-primary",
  "background-secondary",
  "text-primary",
  "text-secondary",
  "border-primary",
];

function applyContext(context: unknown): void {
  const { style } = document.documentElement;
  const theme = text(context, "theme");
  if (theme === "light" || theme === "dark") style.colorScheme = theme;
  const variables = field(field(context, "styles"), "variables");
  const colours = COLOURS.map((name) => [`--color-${name}`, text(variables, `--color-${name}`)] as const);
  if (colours.every(([, value]) => value !== ""))
    for (const [name, value] of colours) style.setProperty(name, value);
  const font = text(variables, "--font-sans");
  if (font !== "") style.setProperty("--font-sans", font);
}

on("tool-input", (params) => {
  args = field(params, "arguments");
  const query = text(args, "query");
  open(
    make("p", { class: "quiet", role: "status" }, query === "" ? "Loading…" : `Looking for “${query}”…`),
    false,
  );
});
on("tool-result", showResult);
on("tool-cancelled", () => open(make("p", { class: "quiet" }, "This call was cancelled."), false));
on("host-context-changed", applyContext);

applyContext(await connect({ name: "product-catalog-cards", version: "1" }));
