import { Readable, pipeline } from "node:stream";
import { type CsvError, parse } from "csv-parse";
import * as z from "zod";
import { clip, plainLine } from "../../../text/plain-text.ts";
import { peek } from "./peek.ts";
import { type Problem, type RawRow, VALUES_MAX, checkNames, tooManyOf } from "./rows.ts";

const RECORD_MAX = 1024 * 1024;
const REPLACEMENT = "\ufffd";
const HEADER_MAX = 64 * 1024;
const DELIMITERS = [",", ";", "\t", "|"];

const recordSchema = z.object({
  info: z.object({ lines: z.int() }),
  raw: z.string(),
  record: z.array(z.string()),
});

/**
 * Reads rows of a CSV file with a header, in UTF-8. The delimiter is the given one, else that of Excel's line `sep=;`,
 * else the one that the header has most of. Rows without a value are skipped. A quotation mark inside a cell that
 * does not begin with one is text. A row with a quotation that ends inside its cell is a problem, on each of its lines; between
 * tabs such a mark is text as well.
 */
export async function* readCsv(bytes: AsyncIterable<Buffer>, delimiter?: string): AsyncGenerator<RawRow> {
  const { first, whole } = await peek(bytes, HEADER_MAX);
  const beginning = first.toString("utf8");
  const [sepLine, sep] = /^"?sep=(.)"?\r?\n/i.exec(beginning) ?? [];
  let unclosed: Error | undefined;
  const by = delimiter ?? sep ?? delimiterOf(beginning);
  const parser = pipeline(
    Readable.from(whole),
    parse({
      delimiter: by,
      from_line: sepLine === undefined ? 1 : 2,
      info: true,
      raw: true,
      // Trimming at the end as well would take a stray mark for the rest of the file.
      ltrim: true,
      max_record_size: RECORD_MAX,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      skip_records_with_error: true,
      on_skip(error, raw) {
        if (error === undefined) return;
        const line = beginOf(linesOf(error), raw ?? "");
        unclosed = new Error(`line ${line}: ${whyUnreadable(error.code)}`);
      },
    }),
    // The iteration throws the callback's error as well.
    () => {},
  );
  let header: Header | undefined;
  let isFirst = true;
  for await (const parsed of parser) {
    const { info, raw, record } = recordSchema.parse(parsed);
    const cells = record.map((cell) => cell.trim());
    if (header === undefined) {
      header = headerOf(cells);
      continue;
    }
    // csv-parse reports the line where a record ends; people look for the line where it begins.
    const line = beginOf(info.lines, raw);
    // Programs write "Pro" panel unquoted between tabs, which no cell holds. Beside a comma it may also be a quotation gone wrong.
    if (by !== "\t" && record.some((cell) => isBroken(cell, raw))) yield* strayMark(line, info.lines);
    else if (cells.some((cell) => cell.includes(REPLACEMENT))) yield { line, problem: "is not UTF-8" };
    else if (cells.slice(header.names.length).some((cell) => cell !== "")) yield { line, problem: TOO_WIDE };
    else if (header.problem !== undefined) yield { line, problem: header.problem };
    else {
      yield { line, cells: toCells(header, cells, isFirst) };
      isFirst = false;
    }
  }
  if (unclosed !== undefined) throw unclosed;
}

const TOO_WIDE = "has more cells than the header; quote cells that contain the delimiter";

/** Whether a quotation ends inside its cell. csv-parse keeps its marks, so that the cell is not what a correct one would hold. */
const isBroken = (cell: string, raw: string): boolean =>
  cell.startsWith('"') && !raw.includes(`"${cell.replaceAll('"', '""')}"`);

const whyUnreadable = (code: string) =>
  code === "CSV_QUOTE_NOT_CLOSED"
    ? "a quotation mark opens here and never closes."
    : `a row begins here that is longer than ${RECORD_MAX} characters; a quotation mark may not close.`;

const linesOf = (error: CsvError): number => Number(error["lines"]);

const beginOf = (end: number, raw: string): number => end - (raw.trim().match(/\n/g)?.length ?? 0);

/** The problems of the lines from `line` to `end`. */
function strayMark(line: number, end: number): Problem[] {
  const rows: Problem[] = [];
  for (let each = line; each <= end; each++)
    rows.push({
      line: each,
      problem:
        each === line
          ? 'holds a stray quotation mark. Write such a cell in quotes and the mark twice: "24"" panel"'
          : `is unreadable, because a quotation opens on line ${line}`,
    });
  return rows;
}

function delimiterOf(beginning: string): string {
  const [header = ""] = beginning.replace(/"[^"]*"/g, "").split(/\r?\n/, 1);
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

interface Header {
  /** The columns' names, in their order; "" for a column without one. */
  names: readonly string[];
  /** Names of several columns. */
  repeated: ReadonlySet<string>;
  /** The problem that every row has: a column appears too often. */
  problem: string | undefined;
}

/** Throws if the names are too many. */
function headerOf(names: readonly string[]): Header {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== "") counts.set(name, (counts.get(name) ?? 0) + 1);
  checkNames(
    [...counts.keys()].reduce((size, name) => size + name.length, 0),
    counts.size,
  );
  const repeated = [...counts].filter(([, count]) => count > 1);
  const [crowded] = repeated.find(([, count]) => count > VALUES_MAX) ?? [];
  return {
    names,
    repeated: new Set(repeated.map(([name]) => name)),
    problem: crowded === undefined ? undefined : tooManyOf(crowded),
  };
}

/**
 * A column that appears several times holds a list, because Merchant feeds repeat `additional_image_link`. Only the first row has
 * all columns: a file of short rows under a long header would take its length times its width.
 */
function toCells(
  { names, repeated }: Header,
  cells: readonly string[],
  isFirst: boolean,
): Record<string, unknown> {
  const named = new Map<string, string | string[]>();
  const width = isFirst ? names.length : Math.min(names.length, cells.length);
  for (const [index, name] of names.slice(0, width).entries()) {
    const cell = cells[index] ?? "";
    if (name === "") continue;
    const before = named.get(name);
    if (Array.isArray(before)) before.push(cell);
    else named.set(name, repeated.has(name) ? [cell] : cell);
  }
  return Object.fromEntries(named);
}

const SHOWN = 30;

/** Prints column names of a user's file safely on a terminal. */
export const columnList = (columns: readonly string[]): string =>
  columns
    .slice(0, SHOWN)
    .map((column) => clip(plainLine(column), 60))
    .join(", ") + (columns.length > SHOWN ? ` and ${columns.length - SHOWN} more` : "");
