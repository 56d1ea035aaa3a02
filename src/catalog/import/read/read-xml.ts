import sax from "sax";
import { type RawRow, VALUES_MAX, tooManyOf } from "./rows.ts";

/** An item in RSS, an entry in Atom. */
const ITEMS = new Set(["item", "entry"]);
const ITEM_MAX = 1024 * 1024;
/** Elements inside each other, and attributes of one element. The parser holds all of them. */
const DEPTH_MAX = 200;
const ATTRIBUTES_MAX = 1_000;
const PREFIXES_MAX = 100;
/** Namespaces of Google's attributes, and of a shop's own attributes. */
const GOOGLE = /^https?:\/\/base\.google\.com\/c?ns\//i;

interface Item {
  line: number;
  /** Values by the name of their element, without and with a prefix. */
  plain: Map<string, string[]>;
  google: Map<string, string[]>;
  /** Characters of its elements' names and values. */
  size: number;
  /** A name that more elements have than a row may have values. */
  crowded: string | undefined;
}

/**
 * Reads the items of an RSS or Atom feed, in UTF-8. A cell has its element's name without a prefix; `g:title` wins over
 * `title`. Elements of other namespaces, such as `media:title`, are left out, as are elements inside an element, such
 * as the price of `g:shipping`. sax reads no external entity and expands none that a document declares: `&name;` stays
 * text. Throws if the document is not well-formed, or nests elements too deep.
 */
export async function* readXml(bytes: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  const parser = sax.parser(true, { position: true });
  const rows: RawRow[] = [];
  let item: Item | undefined;
  let depth = 0;
  let itemDepth = 0;
  let text = "";
  const googlePrefixes = new Set<string>();
  let attributesOfTag = 0;
  parser.onattribute = () => {
    if (++attributesOfTag > ATTRIBUTES_MAX)
      throw tooMany(`an element has more than ${ATTRIBUTES_MAX} attributes`);
  };
  parser.onopentag = ({ name, attributes }) => {
    attributesOfTag = 0;
    if (++depth > DEPTH_MAX) throw tooMany(`elements are nested ${depth} deep`);
    for (const [attribute, value] of Object.entries(attributes))
      if (attribute.startsWith("xmlns:") && typeof value === "string" && GOOGLE.test(value))
        if (googlePrefixes.size < PREFIXES_MAX) googlePrefixes.add(attribute.slice("xmlns:".length));
    if (item === undefined) {
      if (!ITEMS.has(name)) return;
      itemDepth = depth;
      item = { line: parser.line + 1, plain: new Map(), google: new Map(), size: 0, crowded: undefined };
    } else if (depth === itemDepth + 1) {
      text = "";
      // Atom writes a link as an attribute; one to the entry itself, an edit form or a file is another relation.
      const { href, rel = "alternate" } = attributes;
      // An element without text takes memory as well.
      item.size += name.length + 1;
      if (typeof href === "string" && rel === "alternate") addText(href);
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
      if (isRead && local !== undefined && text.trim() !== "" && item.size <= ITEM_MAX) {
        const values = cells.get(local);
        if (values === undefined) cells.set(local, [text.trim()]);
        else if (values.length < VALUES_MAX) values.push(text.trim());
        else item.crowded ??= local;
      }
    }
    if (item !== undefined && depth === itemDepth) {
      rows.push(rowOf(item));
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

function rowOf({ line, plain, google, size, crowded }: Item): RawRow {
  if (size > ITEM_MAX) return { line, problem: `is longer than ${ITEM_MAX} characters` };
  if (crowded !== undefined) return { line, problem: tooManyOf(crowded) };
  const cells = [...new Map([...plain, ...google])].map(([column, values]) => [
    column,
    values.length === 1 ? values[0] : values,
  ]);
  return { line, cells: Object.fromEntries(cells) };
}

const tooMany = (problem: string) => new Error(`The XML is no feed: ${problem}.`);

const notWellFormed = (error: Error) =>
  new Error(`The XML is not well-formed: ${error.message.replaceAll("\n", ", ").toLowerCase()}.`);
