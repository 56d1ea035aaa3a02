import { clip, plainLine } from "../../../text/plain-text.ts";
import type { Unit } from "./amounts.ts";
import { type CheckedRow, type Checking, checkRows } from "./check-rows.ts";
import { type Pairs, pairsOf } from "./choices.ts";
import { convert } from "./convert.ts";
import type { Notes, Sentence } from "./notes.ts";
import type { Separator } from "./number-text.ts";
import type { PresetName } from "./presets/index.ts";
import { type Products, readProducts } from "./read-products.ts";
import type { DraftRow } from "./rows.ts";
import type { Input } from "./source.ts";
import { type Survey, survey } from "./survey.ts";

/** The flags that say how a file is to be read. */
export interface ReadFlags {
  from?: PresetName;
  format?: string;
  encoding?: string;
  map: string[];
  set: string[];
  currency?: string;
  delimiter?: string;
  decimal?: "point" | "comma";
  majorPrices?: boolean;
  minorPrices?: boolean;
}

/** A file that was read once, so that each of its rows can be read. */
export interface Prepared {
  products: Products;
  /** The fields of `--map`, and their columns. */
  map: Pairs;
  /** Checks products of the file against the catalog's schema. Throws at the end if the file changed meanwhile. */
  rows: (drafts: AsyncIterable<DraftRow>, notes: Notes) => AsyncIterable<CheckedRow>;
}

export interface Preparing {
  /** The most bytes of a product in a JSON list. In memory it may take fifteen times as many. */
  valueMax: number;
  /** Gets sentences about what was inferred. */
  say: (sentence: Sentence) => void;
  /** Throws if the file changed since it was prepared. */
  checkUnchanged?: () => Promise<void>;
  /** Gets the number of rows that were read to decide. */
  onSurveyed?: (rows: number) => void;
  /** The schema of products in a compiled form. */
  schema?: Checking["schema"];
}

const SEPARATORS: Readonly<Record<"point" | "comma", Separator>> = { point: ".", comma: "," };

/**
 * Reads a file once, and decides everything that takes the whole file: encoding, kind, the format of its numbers and
 * the unit of its prices. Throws an Error that names the flag, if something stays undecided.
 */
export async function prepareInput(
  input: Input,
  flags: ReadFlags,
  { valueMax, say, checkUnchanged = async () => {}, onSurveyed = () => {}, schema }: Preparing,
): Promise<Prepared> {
  const set = flags.currency === undefined ? flags.set : [...flags.set, `currency=${flags.currency}`];
  const map = pairsOf("--map", flags.map);
  const products = await readProducts(input, {
    from: flags.from,
    format: flags.format,
    encoding: flags.encoding,
    // Shells pass `\t` on as two characters.
    delimiter: flags.delimiter === String.raw`\t` ? "\t" : flags.delimiter,
    choices: { map, set: pairsOf("--set", set) },
    valueMax,
  });
  const { preset, name, encoding } = products;
  if (name !== "plain") say({ text: `Read as ${preset.title}.`, flag: "--from" });
  if (encoding.guessed) say({ text: await encodingText(products, input), flag: "--encoding" });
  const facts = await surveyOf(input, products, flags, onSurveyed);
  return {
    products,
    map,
    rows: (drafts, notes) =>
      checkRows(convert(drafts, facts, notes), {
        isLenient: preset.isLenient,
        notes,
        // A file that is still being written may end at a whole row.
        atEnd: checkUnchanged,
        ...(schema && { schema }),
      }),
  };
}

const NAMES_SHOWN = 3;
const BEYOND_ASCII = /[^\p{ASCII}]/u;

async function encodingText({ encoding, drafts }: Products, input: Input): Promise<string> {
  const names: string[] = [];
  for await (const row of drafts(await input.open())) {
    const text = "fields" in row ? row.fields["name"] : undefined;
    if (typeof text !== "string" || !BEYOND_ASCII.test(text)) continue;
    names.push(clip(plainLine(text), 60));
    if (names.length === NAMES_SHOWN) break;
  }
  const examples = names.length > 0 ? `, for example: ${names.join(", ")}` : "";
  return `Decoded as ${encoding.label}${examples}.`;
}

async function surveyOf(
  input: Input,
  { preset, format, first, drafts }: Products,
  flags: ReadFlags,
  onSurveyed: (rows: number) => void,
): Promise<Survey> {
  const unit = unitFlag(flags) ?? preset.unit;
  // JSON that names price_minor leaves nothing to decide, and is read once.
  if (format === "jsonl" && first?.["price_minor"] !== undefined && first["sku"] !== undefined)
    return { reading: { unit, decimals: new Map() }, repeatedSkus: new Set(), takenSkus: new Set() };
  const source = await input.open();
  let rows = 0;
  async function* counted(): AsyncGenerator<DraftRow> {
    for await (const row of drafts(source)) {
      onSurveyed(++rows);
      yield row;
    }
  }
  return survey(counted(), {
    unit,
    decimal: flags.decimal && SEPARATORS[flags.decimal],
    convention: preset.decimal,
    place: format === "json" ? "product" : "line",
  });
}

function unitFlag({ majorPrices, minorPrices }: ReadFlags): Unit | undefined {
  if (majorPrices === true && minorPrices === true)
    throw new Error("Name one of --major-prices and --minor-prices.");
  if (majorPrices === true) return "major";
  return minorPrices === true ? "minor" : undefined;
}
