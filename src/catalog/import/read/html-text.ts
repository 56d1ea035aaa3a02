import { Parser } from "htmlparser2";

/** Elements around which a browser leaves an empty line, and others that begin a line. */
const PARAGRAPHS = new Set("p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre hr".split(" "));
const LINES = new Set(
  "div li tr dt dd section article aside header footer main nav figure figcaption address form fieldset".split(
    " ",
  ),
);
const UNSHOWN = new Set(["script", "style", "template"]);

const TAG = /<\/?[a-z][^<>]*>|<!--/i;
const ENTITY = /&(?:[a-z][a-z\d]{1,30}|#\d{1,7}|#x[\da-f]{1,6});/i;

/** Characters that are read. A product's texts have at most a tenth of it (record.ts), and deep nesting takes more than linear time. */
const HTML_MAX = 200_000;

let last = { html: "", text: "" };

/**
 * Returns plain text for HTML or text with entities: one line for each line a browser would show. Text that holds
 * neither, or is too long for a product, is returned as it is. Variants of a product share one description, so the last result is kept.
 */
export function htmlToText(html: string): string {
  if (html.length > HTML_MAX) return html;
  const isMarkup = TAG.test(html);
  if (!isMarkup && !ENTITY.test(html)) return html;
  if (last.html !== html) {
    const text = shown(html, isMarkup)
      .replaceAll(/[^\S\n]+/g, " ")
      .replaceAll(/ ?\n ?/g, "\n")
      .replaceAll(/\n{3,}/g, "\n\n")
      .trim();
    last = { html, text };
  }
  return last.text;
}

/** The text that a browser would show. Without markup, its own line breaks count. */
function shown(html: string, isMarkup: boolean): string {
  const pieces: string[] = [];
  /** For each open list, the number of its last entry; undefined if it has no numbers. */
  const lists: (number | undefined)[] = [];
  /** Written before the next text. */
  let [breaks, bullet] = [0, ""];
  /** Open elements that are not shown, and those whose line breaks count. */
  let [unshown, asWritten] = [0, isMarkup ? 0 : 1];
  const breakAround = (name: string) => {
    const wanted = PARAGRAPHS.has(name) ? 2 : Number(LINES.has(name));
    // Entries stand close together, and begin on the line of their bullet.
    if (bullet === "") breaks = Math.max(breaks, lists.length > 0 ? Math.min(wanted, 1) : wanted);
  };
  const beginEntry = () => {
    const count = lists.pop();
    lists.push(count === undefined ? undefined : count + 1);
    bullet = count === undefined ? "* " : `${count + 1}. `;
  };
  const parser = new Parser({
    onopentagname(name) {
      breakAround(name);
      if (UNSHOWN.has(name)) unshown++;
      else if (name === "br") breaks++;
      else if (name === "pre") asWritten++;
      else if (name === "ul") lists.push(undefined);
      else if (name === "ol") lists.push(0);
      else if (name === "li" && lists.length > 0) beginEntry();
    },
    onclosetag(name) {
      if (UNSHOWN.has(name)) unshown--;
      else if (name === "pre") asWritten--;
      else if (name === "ul" || name === "ol") lists.pop();
      else if (name === "li") bullet = "";
      else if (name === "td" || name === "th") pieces.push(" ");
      breakAround(name);
    },
    ontext(text) {
      if (unshown > 0) return;
      const line = asWritten > 0 ? text : text.replaceAll(/\s+/g, " ");
      if (line.trim() === "") {
        if (breaks === 0) pieces.push(line);
        return;
      }
      pieces.push("\n".repeat(Math.min(breaks, 2)), bullet, line);
      [breaks, bullet] = [0, ""];
    },
  });
  parser.end(html);
  return pieces.join("");
}
