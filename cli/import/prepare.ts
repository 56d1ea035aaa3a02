import { clip, plainLine } from "../../src/text/plain-text.ts";
import type { Unit } from "./amounts.ts";
import { type CheckedRow, checkRows } from "./check-rows.ts";
import { type Pairs, pairsOf } from "./choices.ts";
import { convert } from "./convert.ts";
import type { Notes } from "./notes.ts";
import type { Separator } from "./number-text.ts";
import { openSource, watchFile } from "./open-source.ts";
import type { PresetName } from "./presets/index.ts";
import { showProgress } from "./progress.ts";
import { type Products, readProducts } from "./read-products.ts";
import type { DraftRow } from "./rows.ts";
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
  file: string;
  products: Products;
  /** The fields of `--map`, and their columns. */
  map: Pairs;
  /** Checks products of the file against the catalog's schema. Throws at the end if the file changed meanwhile. */
  rows: (drafts: AsyncIterable<DraftRow>, notes: Notes) => AsyncIterable<CheckedRow>;
}

const SEPARATORS: Readonly<Record<"point" | "comma", Separator>> = { point: ".", comma: "," };

/**
 * Reads a file once, and decides everything that takes the whole file: encoding, kind, the format of its numbers and
 * the unit of its prices. `say` gets sentences about what was inferred. Throws an Error that names the flag, if
 * something stays undecided.
 */
export async function prepare(
  file: string,
  flags: ReadFlags,
  say: (sentence: string) => void,
): Promise<Prepared> {
  const checkUnchanged = await watchFile(file);
  const set = flags.currency === undefined ? flags.set : [...flags.set, `currency=${flags.currency}`];
  const map = pairsOf("--map", flags.map);
  const products = await readProducts(file, {
    from: flags.from,
    format: flags.format,
    encoding: flags.encoding,
    // Shells pass `\t` on as two characters.
    delimiter: flags.delimiter === String.raw`\t` ? "\t" : flags.delimiter,
    choices: { map, set: pairsOf("--set", set) },
  });
  const { preset, name, encoding } = products;
  if (name !== "plain") say(`Read as ${preset.title} (--from changes that).`);
  if (encoding.guessed) say(await sayEncoding(products, file));
  const facts = await surveyOf(file, products, flags);
  return {
    file,
    products,
    map,
    async *rows(drafts, notes) {
      yield* checkRows(convert(drafts, facts, notes), { isLenient: preset.isLenient, notes });
      // A file that is still being written may end at a whole row.
      await checkUnchanged();
    },
  };
}

const NAMES_SHOWN = 3;
const BEYOND_ASCII = /[^\p{ASCII}]/u;

async function sayEncoding({ encoding, drafts }: Products, file: string): Promise<string> {
  const names: string[] = [];
  for await (const row of drafts(await openSource(file))) {
    const text = "fields" in row ? row.fields["name"] : undefined;
    if (typeof text !== "string" || !BEYOND_ASCII.test(text)) continue;
    names.push(clip(plainLine(text), 60));
    if (names.length === NAMES_SHOWN) break;
  }
  const examples = names.length > 0 ? `, for example: ${names.join(", ")}` : "";
  return `Decoded as ${encoding.label} (--encoding changes that)${examples}.`;
}

async function surveyOf(
  file: string,
  { preset, format, first, drafts }: Products,
  flags: ReadFlags,
): Promise<Survey> {
  const unit = unitFlag(flags) ?? preset.unit;
  // JSON that names price_minor leaves nothing to decide, and is read once.
  if (format === "jsonl" && first?.["price_minor"] !== undefined && first["sku"] !== undefined)
    return { reading: { unit, decimals: new Map() }, repeatedSkus: new Set() };
  const source = await openSource(file);
  const progress = showProgress(source, "Checking", "rows");
  let rows = 0;
  async function* counted(): AsyncGenerator<DraftRow> {
    for await (const row of drafts(source)) {
      progress.update(++rows);
      yield row;
    }
  }
  try {
    const decimal = flags.decimal && SEPARATORS[flags.decimal];
    return await survey(counted(), {
      unit,
      decimal,
      convention: preset.decimal,
      place: format === "json" ? "product" : "line",
    });
  } finally {
    progress.stop();
  }
}

function unitFlag({ majorPrices, minorPrices }: ReadFlags): Unit | undefined {
  if (majorPrices === true && minorPrices === true)
    throw new Error("Name one of --major-prices and --minor-prices.");
  if (majorPrices === true) return "major";
  return minorPrices === true ? "minor" : undefined;
}
