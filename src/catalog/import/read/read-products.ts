import { type Encoding, detectEncoding, encodingNamed, inUtf8 } from "./encoding.ts";
import { type Choices, checkHeader, checkPlainHeader, withChoices } from "./choices.ts";
import { type Format, formatNamed, formatOf, readRows } from "./format.ts";
import type { Input, Source } from "./source.ts";
import { peek } from "./peek.ts";
import { type PresetName, detectPreset, presetNamed } from "./presets/index.ts";
import type { Preset } from "./presets/preset.ts";
import type { Cells, DraftRow, RawRow } from "./rows.ts";

export interface ReadOptions {
  from: PresetName | undefined;
  format: string | undefined;
  encoding: string | undefined;
  delimiter: string | undefined;
  choices: Choices;
  /** The most bytes of an object in a JSON list. */
  valueMax: number;
}

/** A file whose kind is known. It is read from its beginning at every call of `drafts`. */
export interface Products {
  format: Format;
  encoding: Encoding;
  name: PresetName;
  preset: Preset;
  /** Cells of the first row; undefined if the file has none. */
  first: Cells | undefined;
  drafts: (source: Source) => AsyncIterable<DraftRow>;
}

const BEGINNING = 4_096;

/** Detects a file's encoding, format and preset. Throws if its header rules out every row. */
export async function readProducts(input: Input, options: ReadOptions): Promise<Products> {
  const encoding =
    options.encoding === undefined
      ? await detectEncoding((await input.open()).bytes)
      : encodingNamed(options.encoding);
  const { first: beginning } = await peek(inUtf8((await input.open()).bytes, encoding), BEGINNING);
  const format =
    options.format === undefined
      ? formatOf(input.name, beginning.toString("utf8"))
      : formatNamed(options.format);
  const delimiter = options.delimiter ?? (options.format === "tsv" ? "\t" : undefined);
  const { valueMax } = options;
  const rawRows = (source: Source) =>
    readRows(inUtf8(source.bytes, encoding), format, { delimiter, valueMax });

  const first = await firstCells(rawRows(await input.open()));
  const detected = format === "xml" ? "google" : detectPreset(Object.keys(first ?? {}));
  const name = options.from ?? detected;
  if (format === "csv" && first !== undefined) {
    checkHeader(first, options.choices);
    if (name === "plain") checkPlainHeader(first, options.choices);
  }
  const preset = presetNamed(name);
  return {
    format,
    encoding,
    name,
    preset,
    first,
    drafts: (source) => withChoices(preset.drafts(rawRows(source)), options.choices),
  };
}

const FIRST_ROWS = 100;

async function firstCells(rows: AsyncIterable<RawRow>): Promise<Cells | undefined> {
  let count = 0;
  for await (const row of rows) {
    if ("cells" in row) return row.cells;
    if (++count === FIRST_ROWS) return undefined;
  }
  return undefined;
}
