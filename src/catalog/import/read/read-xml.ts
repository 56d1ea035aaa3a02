import sax from "sax";
import type { RawRow } from "./rows.ts";

/** An item in RSS, an entry in Atom. */
const ITEMS = new Set(["item", "entry"]);
const ITEM_MAX = 1024 * 1024;
/** Namespaces of Google's attributes, and of a shop's own attributes. */
const GOOGLE = /^https?:\/\/base\.google\.com\/c?ns\//i;

/**
 * Reads the items of an RSS or Atom feed, in UTF-8. A cell has its element's name without a prefix; `g:title` wins over
 * `title`. Elements of other namespaces, such as `media:title`, are left out, as are elements inside an element, such
 * as the price of `g:shipping`. sax reads no external entity and expands none that a document declares: `&name;` stays
 * text. Throws if the document is not well-formed.
 */
export async function* readXml(bytes: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  const parser = sax.parser(true, { position: true });
  const rows: RawRow[] = [];
  let item:
    | { line: number; plain: Map<string, string[]>; google: Map<string, string[]>; size: number }
    | undefined;
  let depth = 0;
  let itemDepth = 0;
  let text = "";
  const googlePrefixes = new Set<string>();
  parser.onopentag = ({ name, attributes }) => {
    depth++;
    for (const [attribute, value] of Object.entries(attributes))
      if (attribute.startsWith("xmlns:") && typeof value === "string" && GOOGLE.test(value))
        googlePrefixes.add(attribute.slice("xmlns:".length));
    if (item === undefined) {
      if (!ITEMS.has(name)) return;
      itemDepth = depth;
      item = { line: parser.line + 1, plain: new Map(), google: new Map(), size: 0 };
    } else if (depth === itemDepth + 1) {
      text = "";
      // Atom writes a link as an attribute; one to the entry itself, an edit form or a file is another relation.
      const { href, rel = "alternate" } = attributes;
      if (typeof href === "string" && rel === "alternate") text = href;
    }
  };
  const addText = (part: string) => {
    if (item === undefined || depth !== itemDepth + 1) return;
    item.size += part.length;
    if (item.size <= ITEM_MAX) text += part;
  };
  Object.assign(parser, {
    ontext: addText,
    oncdata: addText,
    onerror(error: Error) {
      if (!error.message.startsWith("Invalid character entity")) throw notWellFormed(error);
      parser.resume();
    },
  });
  parser.onclosetag = (name) => {
    if (item !== undefined && depth === itemDepth + 1) {
      const [prefix = "", local] = name.includes(":") ? name.split(":", 2) : ["", name];
      const cells = prefix === "" ? item.plain : item.google;
      const isRead = prefix === "" || googlePrefixes.size === 0 || googlePrefixes.has(prefix);
      if (isRead && local !== undefined && text.trim() !== "")
        cells.set(local, [...(cells.get(local) ?? []), text.trim()]);
    }
    if (item !== undefined && depth === itemDepth) {
      const { line, plain, google, size } = item;
      const cells = [...new Map([...plain, ...google])].map(([column, values]) => [
        column,
        values.length === 1 ? values[0] : values,
      ]);
      rows.push(
        size > ITEM_MAX
          ? { line, problem: `is longer than ${ITEM_MAX} characters` }
          : { line, cells: Object.fromEntries(cells) },
      );
      item = undefined;
    }
    depth--;
  };
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    parser.write(decoder.decode(chunk, { stream: true }));
    yield* rows.splice(0);
  }
  parser.write(decoder.decode()).close();
  yield* rows;
}

const notWellFormed = (error: Error) =>
  new Error(`The XML is not well-formed: ${error.message.replaceAll("\n", ", ").toLowerCase()}.`);
