import type { RawRow } from "./rows.ts";
import { isObject } from "./rows.ts";
import { readJsonl } from "./read-jsonl.ts";

const [QUOTE, BACKSLASH, COMMA] = Buffer.from('"\\,');
const [LIST_BEGIN, LIST_END, OBJECT_BEGIN, OBJECT_END] = Buffer.from("[]{}");

/** Reads one JSON object per line. */
export async function* readJsonLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<RawRow> {
  for await (const row of readJsonl(bytes)) yield "problem" in row ? row : toRow(row.line, row.value);
}

/**
 * Reads the objects of a JSON document's first list: a document that is a list, or `{"products": [...]}`. Their number
 * in the list takes the place of the line. The document need not fit into memory: an object of more than `valueMax`
 * bytes is skipped, and is a problem. Throws if the document ends early.
 */
export async function* readJsonList(bytes: AsyncIterable<Buffer>, valueMax: number): AsyncGenerator<RawRow> {
  let [depth, listDepth, number, length] = [0, 0, 0, 0];
  let [inText, escaped, ended] = [false, false, false];
  let held: Buffer[] = [];
  const finish = (): RawRow | undefined => {
    const text = Buffer.concat(held).toString("utf8").trim();
    const size = length;
    held = [];
    length = 0;
    if (text === "" && size === 0) return undefined;
    number++;
    if (size > valueMax) return { line: number, problem: `is longer than ${valueMax} bytes` };
    try {
      return toRow(number, JSON.parse(text));
    } catch {
      return { line: number, problem: "is not JSON" };
    }
  };
  for await (const chunk of bytes) {
    let start = 0;
    const hold = (end: number) => {
      if (listDepth === 0 || ended) return;
      const part = chunk.subarray(start, end);
      length += part.length;
      if (length <= valueMax) held.push(part);
      else held = [];
    };
    for (let index = 0; index < chunk.length && !ended; index++) {
      const byte = chunk.readUInt8(index);
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
      } else if (byte === QUOTE) inText = true;
      else if (byte === LIST_BEGIN || byte === OBJECT_BEGIN) {
        depth++;
        // The first list holds the products; it is not inside one of them.
        if (listDepth === 0 && byte === LIST_BEGIN) {
          listDepth = depth;
          start = index + 1;
        }
      } else if (byte === COMMA && depth === listDepth && listDepth > 0) {
        hold(index);
        start = index + 1;
        const row = finish();
        if (row !== undefined) yield row;
      } else if (byte === LIST_END || byte === OBJECT_END) {
        if (depth === listDepth && byte === LIST_END) {
          hold(index);
          const isBlank = length <= valueMax && Buffer.concat(held).toString("utf8").trim() === "";
          const row = isBlank ? undefined : finish();
          ended = true;
          if (row !== undefined) yield row;
        }
        depth--;
      }
    }
    hold(chunk.length);
  }
  if (!ended) throw new Error("The JSON document ends early: the file is cut off, or a bracket is missing.");
}

const toRow = (line: number, value: unknown): RawRow => {
  if (isObject(value)) return { line, cells: value };
  return { line, problem: Array.isArray(value) ? "is a list, not an object" : "is not an object" };
};
