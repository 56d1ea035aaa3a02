import { readCsv } from "./read-csv.ts";
import { readJsonLines, readJsonList } from "./read-json.ts";
import { readXml } from "./read-xml.ts";
import { type RawRow, withFewNames } from "./rows.ts";

/** How rows lie in a file. TSV is CSV with tabs. */
const FORMATS = ["csv", "jsonl", "json", "xml"] as const;
export type Format = (typeof FORMATS)[number];

/** Throws if `--format` names no format. */
export function formatNamed(name: string): Format {
  const format = FORMATS.find((each) => each === (name === "tsv" ? "csv" : name));
  if (format === undefined) throw new Error(`--format must be ${FORMATS.join(", ")}, not ${name}.`);
  return format;
}

/** The format by the file name, else by the first characters; throws for a web page. Files of JSON are told apart by these alone. */
export function formatOf(name: string, beginning: string): Format {
  const text = beginning.trimStart();
  if (/^<(?:!doctype )?html\b/i.test(text))
    throw new Error(
      "This is a web page, perhaps one to sign in, and not an export. Download the export itself.",
    );
  const [, extension = ""] = /\.(csv|tsv|tab|jsonl|ndjson|json|xml|rss|atom)(?:\.gz)?$/i.exec(name) ?? [];
  if (/^(?:csv|tsv|tab)$/i.test(extension)) return "csv";
  if (/^(?:xml|rss|atom)$/i.test(extension) || text.startsWith("<")) return "xml";
  if (
    text.startsWith("[") ||
    /^\{\s*(?:"[^"]*"\s*:\s*(?:"[^"]*"|[\d.]+|null|true|false)\s*,\s*)*"products"\s*:\s*\[/.test(text)
  )
    return "json";
  if (extension === "" && /^[\p{L}"]/u.test(text)) return "csv";
  return "jsonl";
}

/**
 * Reads the rows of UTF-8 bytes. `delimiter` is for CSV; by default it comes from the header. `valueMax` is the most bytes
 * of an object in a JSON list.
 */
export function readRows(
  bytes: AsyncIterable<Buffer>,
  format: Format,
  { delimiter, valueMax }: { delimiter: string | undefined; valueMax: number },
): AsyncIterable<RawRow> {
  if (format === "csv") return readCsv(bytes, delimiter);
  if (format === "xml") return withFewNames(readXml(bytes));
  return withFewNames(format === "json" ? readJsonList(bytes, valueMax) : readJsonLines(bytes));
}
