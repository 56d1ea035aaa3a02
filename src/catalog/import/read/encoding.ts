import { isAscii, isUtf8 } from "node:buffer";
import chardet from "chardet";

export interface Encoding {
  /** A label of the Encoding Standard, such as `utf-8` or `windows-1252`. */
  label: string;
  /** Whether it was inferred from the bytes, so that the user should see what they became. */
  guessed: boolean;
}

const UTF_8: Encoding = { label: "utf-8", guessed: false };
const MARKS: [mark: number[], label: string][] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];
const ZIP_MAGIC = Buffer.from("PK\u0003\u0004");
const BEGINNING = 4_096;
const SAMPLE_MAX = 64 * 1024;
const NEWLINE = 0x0a;

/** Throws if the runtime cannot decode `label`. */
export function encodingNamed(label: string): Encoding {
  try {
    return { label: new TextDecoder(label).encoding, guessed: false };
  } catch {
    throw new Error(
      `--encoding ${label} is unknown. Use utf-8, utf-16le, windows-1252 or another standard name.`,
    );
  }
}

/**
 * Reads all bytes and returns their encoding: by a byte order mark, by the zero bytes of UTF-16, as UTF-8 if that is
 * valid, else by the statistics of chardet. Some invalid lines in a file of valid UTF-8 do not change its encoding.
 */
export async function detectEncoding(bytes: AsyncIterable<Buffer>): Promise<Encoding> {
  let beginning = Buffer.alloc(0);
  let known: Encoding | undefined;
  let held = Buffer.alloc(0);
  let valid = 0;
  let invalid = 0;
  let sampled = 0;
  const sample: Buffer[] = [];
  const judge = (piece: Buffer) => {
    if (isAscii(piece)) return;
    if (isUtf8(piece)) {
      valid++;
      return;
    }
    for (let start = 0; start < piece.length;) {
      const newline = piece.indexOf(NEWLINE, start);
      const line = piece.subarray(start, newline < 0 ? piece.length : newline + 1);
      start += line.length;
      if (isAscii(line)) continue;
      if (isUtf8(line)) {
        valid++;
        continue;
      }
      invalid++;
      if (sampled < SAMPLE_MAX) sample.push(Buffer.from(line.subarray(0, SAMPLE_MAX)));
      sampled += line.length;
    }
  };
  for await (const chunk of bytes) {
    if (beginning.length < BEGINNING) {
      beginning = Buffer.concat([beginning, chunk.subarray(0, BEGINNING - beginning.length)]);
      known = byBeginning(beginning);
    }
    if (known !== undefined && beginning.length >= BEGINNING) return known;
    // A chunk is cut after a line break, or before the first byte of a character.
    const whole = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const cut = whole.lastIndexOf(NEWLINE) + 1;
    held = Buffer.from(whole.subarray(cut));
    judge(whole.subarray(0, cut));
    if (held.length > 1024 * 1024) {
      let end = held.length;
      while (end > 0 && ((held[end - 1] ?? 0) & 0x80) !== 0) end--;
      judge(held.subarray(0, end));
      held = held.subarray(end);
    }
  }
  if (known !== undefined) return known;
  judge(held);
  if (invalid === 0 || valid >= invalid) return UTF_8;
  return { label: guess(Buffer.concat(sample)), guessed: true };
}

function byBeginning(bytes: Buffer): Encoding | undefined {
  if (bytes.indexOf(ZIP_MAGIC) === 0)
    throw new Error(
      "This is a ZIP file, such as an Excel workbook. Save the sheet as CSV (UTF-8) and import that.",
    );
  const marked = MARKS.find(([mark]) => mark.every((byte, index) => bytes[index] === byte));
  if (marked !== undefined) return { label: marked[1], guessed: false };
  const zeros = (parity: number) => bytes.filter((byte, index) => byte === 0 && index % 2 === parity).length;
  // Every second byte of Latin text is zero in UTF-16, and none is in other encodings.
  const [even, odd] = [zeros(0), zeros(1)];
  if (odd > bytes.length / 8 && even < odd / 4) return { label: "utf-16le", guessed: true };
  if (even > bytes.length / 8 && odd < even / 4) return { label: "utf-16be", guessed: true };
  return undefined;
}

/** ISO 8859-1 is decoded as Windows-1252 everywhere, which has the same letters. */
function guess(sample: Buffer): string {
  for (const { name } of chardet.analyse(sample)) {
    if (name === "ASCII" || name.startsWith("UTF")) continue;
    try {
      return new TextDecoder(name).encoding;
    } catch {
      continue;
    }
  }
  return "windows-1252";
}

/** Returns the bytes in UTF-8, without a byte order mark. */
export async function* inUtf8(bytes: AsyncIterable<Buffer>, { label }: Encoding): AsyncGenerator<Buffer> {
  if (label === "utf-8") {
    yield* withoutMark(bytes);
    return;
  }
  const decoder = new TextDecoder(label);
  for await (const chunk of bytes) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}

async function* withoutMark(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of bytes) {
    const isMarked = isFirst && chunk.length >= 3 && chunk.readUIntBE(0, 3) === 0xefbbbf;
    yield isMarked ? chunk.subarray(3) : chunk;
    isFirst = false;
  }
}
