/** A row of a file: its value, or the problem with it. `line` counts from 1. */
export type Row = { line: number; value: unknown } | { line: number; problem: string };

/** Longer than any product may be (see RECORD_MAX), short enough to hold in memory. */
const LINE_MAX = 1024 * 1024;
const NEWLINE = 0x0a;
const BOM = "\ufeff";

/**
 * Reads one JSON value per line and skips blank lines. A line that is too long is skipped without being held
 * in memory.
 */
export async function* readJsonl(bytes: AsyncIterable<Buffer>, lineMax = LINE_MAX): AsyncGenerator<Row> {
  let line = 1;
  let held: Buffer[] = [];
  let length = 0;
  const finish = (): Row | undefined => {
    const row =
      length > lineMax
        ? { line, problem: `is longer than ${lineMax} bytes` }
        : parse(line, held.length === 1 && held[0] ? held[0] : Buffer.concat(held));
    line++;
    held = [];
    length = 0;
    return row;
  };
  for await (const chunk of bytes) {
    for (let start = 0; start <= chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, start);
      const part = chunk.subarray(start, newline < 0 ? chunk.length : newline);
      length += part.length;
      if (length <= lineMax) held.push(part);
      else held = [];
      if (newline < 0) break;
      const row = finish();
      if (row !== undefined) yield row;
      start = newline + 1;
    }
  }
  const row = length > 0 ? finish() : undefined;
  if (row !== undefined) yield row;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parse(line: number, bytes: Buffer): Row | undefined {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { line, problem: "is not UTF-8" };
  }
  if (line === 1 && text.startsWith(BOM)) text = text.slice(1);
  if (text.trim() === "") return undefined;
  try {
    return { line, value: JSON.parse(text) };
  } catch {
    return { line, problem: "is not JSON" };
  }
}
