import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { formOf } from "../../src/catalog/import/read/amounts.ts";
import { keyOf } from "../../src/catalog/import/read/columns.ts";
import { type Format, readRows } from "../../src/catalog/import/read/format.ts";
import { readCsv } from "../../src/catalog/import/read/read-csv.ts";
import { readJsonList } from "../../src/catalog/import/read/read-json.ts";
import { readXml } from "../../src/catalog/import/read/read-xml.ts";
import type { RawRow } from "../../src/catalog/import/read/rows.ts";
import { readImport } from "./support/read-import.ts";

// How much a row may hold. A row with more is a problem, and the rows beside it are read.

const MIB = 1024 * 1024;
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));
async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
}
type Read = (bytes: AsyncIterable<Buffer>) => AsyncIterable<RawRow>;
async function rowsOf(read: Read, text: string): Promise<RawRow[]> {
  const rows: RawRow[] = [];
  for await (const row of read(chunksOf(text))) rows.push(row);
  return rows;
}
const problemsOf = (rows: RawRow[]) => rows.map((row) => ("problem" in row ? row.problem : undefined));
/** Milliseconds of processor time of reading a text. */
async function cost(read: Read, text: string) {
  const before = process.cpuUsage();
  await rowsOf(read, text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describe("an XML item", () => {
  const feed = (...items: string[]) =>
    `<rss><channel>${items.map((item) => `<item>${item}</item>`).join("")}</channel></rss>`;

  it("may have 1,000 values of one name, in their order", async () => {
    const [row] = await rowsOf(readXml, feed(times(1_000, (index) => `<a>${index}</a>`).join("")));
    expect(row).toEqual({ line: 1, cells: { a: times(1_000, String) } });
  });

  it("with more is a problem that names the element, and the item after it is read", async () => {
    const rows = await rowsOf(readXml, feed("<a>x</a>".repeat(20_000), "<a>1</a><b>2</b>"));
    expect(problemsOf(rows)).toEqual(["has more than 1000 values of a", undefined]);
    expect(rows[1]).toEqual({ line: 1, cells: { a: "1", b: "2" } });
  });

  it("takes as long with 20,000 elements of one name as of many", async () => {
    const many = feed(times(20_000, (index) => `<a${index}>x</a${index}>`).join(""));
    const one = feed("<a>x</a>".repeat(20_000));
    await rowsOf(readXml, many);
    expect(await cost(readXml, one)).toBeLessThan(10 * (await cost(readXml, many)));
  });

  it.each([
    ["empty elements", "<a/>".repeat(600_000)],
    ["short elements of many names", times(100_000, (index) => `<name${index}>x</name${index}>`).join("")],
    ["links", `<link href="https://shop.example/${"x".repeat(20_000)}"/>`.repeat(60)],
    ["text", `<a>${"x".repeat(20_000)}</a>`.repeat(60)],
  ])("has at most 1 MiB of %s", async (_, item) => {
    const rows = await rowsOf(readXml, feed(item, "<a>1</a>"));
    expect(problemsOf(rows)).toEqual([`is longer than ${MIB} characters`, undefined]);
  });
});

describe("an XML file", () => {
  it.each([
    ["elements inside each other", `<rss>${"<a>".repeat(300)}`],
    ["attributes of one element", `<rss ${times(1_100, (index) => `a${index}=""`).join(" ")}>`],
    [
      "attributes of one item",
      `<rss><item ${times(1_100, (index) => `a${index}=""`).join(" ")}></item></rss>`,
    ],
  ])("with too many %s is no feed", async (_, text) => {
    await expect(rowsOf(readXml, text)).rejects.toThrow(/no feed/);
  });
});

describe("names of columns", () => {
  const xml = (name: (index: number) => string, count: number) =>
    `<rss>${times(count, (index) => `<item><${name(index)}>x</${name(index)}></item>`).join("")}</rss>`;
  const json = (name: (index: number) => string, count: number) =>
    times(count, (index) => JSON.stringify({ [name(index)]: "x" }));
  const read =
    (format: Format): Read =>
    (bytes) =>
      readRows(bytes, format, { delimiter: undefined, valueMax: MIB });

  it.each<[Format, (name: (index: number) => string, count: number) => string]>([
    ["xml", xml],
    ["json", (...of) => `[${json(...of).join(",")}]`],
    ["jsonl", (...of) => json(...of).join("\n")],
  ])("of a file of %s are bounded together, not those that repeat", async (format, make) => {
    const repeated = make((index) => `n${index % 2_000}`, 20_000);
    expect(await rowsOf(read(format), repeated)).toHaveLength(20_000);
    const many = make((index) => `n${index}`, 100_000);
    await expect(rowsOf(read(format), many)).rejects.toThrow(/different names of columns/);
    const long = make((index) => `n${index}${"x".repeat(10_000)}`, 100);
    await expect(rowsOf(read(format), long)).rejects.toThrow(/different names of columns/);
  });

  it("and numbers that are long are not remembered", () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const heap = () => {
      collect();
      return process.memoryUsage().heapUsed / MIB;
    };
    const long = (index: number) => `${index}${"x".repeat(20_000)}`;
    keyOf("a");
    const before = heap();
    for (let index = 0; index < 2_000; index++) {
      keyOf(long(index));
      formOf(long(index));
    }
    expect(heap() - before).toBeLessThan(10);
  });
});

describe("a CSV file", () => {
  const lineOf = (cells: string[]) => `${cells.join(",")}\n`;

  it("may have 1,000 columns of one name, which are a list in their order", async () => {
    const header = ["sku", ...times(1_000, () => "a")];
    const rows = await rowsOf(readCsv, lineOf(header) + lineOf(["S", ...times(1_000, String)]));
    expect(rows).toEqual([{ line: 2, cells: { sku: "S", a: times(1_000, String) } }]);
  });

  it("with more has the problem that names the column", async () => {
    const header = ["sku", ...times(20_000, () => "a")];
    const rows = await rowsOf(readCsv, lineOf(header) + lineOf(["S", "1"]) + lineOf(["T", "2"]));
    expect(problemsOf(rows)).toEqual(times(2, () => "has more than 1000 values of a"));
  });

  it("takes as long with 20,000 columns of one name as of many", async () => {
    const rest = lineOf(times(20_000, () => "x"));
    const many = lineOf(times(20_000, (index) => `a${index}`)) + rest;
    const one = lineOf(times(20_000, () => "a")) + rest;
    await rowsOf(readCsv, many);
    expect(await cost(readCsv, one)).toBeLessThan(10 * (await cost(readCsv, many)));
  });

  it("of short rows under a long header takes the time of its length, not of its width", async () => {
    const header = lineOf(times(20_000, (index) => `a${index}`));
    const rows = "1\n".repeat(20_000);
    const narrow = await cost(readCsv, `a\n${rows}`);
    expect(await cost(readCsv, header + rows)).toBeLessThan(
      narrow + 10 * (await cost(readCsv, header + "1\n")),
    );
  });

  it("has columns that a row lacks in its first row alone", async () => {
    const rows = await rowsOf(readCsv, "sku,a,b,a\nS\nT,1\n");
    expect(rows.map((row) => "cells" in row && row.cells)).toEqual([
      { sku: "S", a: ["", ""], b: "" },
      { sku: "T", a: ["1"] },
    ]);
  });

  it("has no names of columns without bound", async () => {
    const header = lineOf(times(60_000, (index) => `a${index}`));
    await expect(rowsOf(readCsv, `${header}1\n`)).rejects.toThrow(/different names of columns/);
  });

  it("may have columns with the names of JavaScript's own", async () => {
    const rows = await rowsOf(readCsv, "sku,constructor,__proto__\nS,1,2\n");
    expect(rows.map((row) => ("cells" in row ? Object.entries(row.cells) : []))).toEqual([
      [
        ["sku", "S"],
        ["constructor", "1"],
        ["__proto__", "2"],
      ],
    ]);
  });
});

describe("a JSON list", () => {
  const product = (sku: string, padding: number) =>
    `{"sku":"${sku}","name":"Pan","category":"Home","price_minor":100,"currency":"EUR"${" ".repeat(padding)}}`;

  it("skips an object that is longer than the bound of its reader", async () => {
    const text = `[${product("A", 0)},${product("B", 3 * MIB)},{"sku":"C","x":[${"[],".repeat(MIB)}[]]},${product("D", MIB)}]`;
    const tight = await rowsOf((bytes) => readJsonList(bytes, 2 * MIB), text);
    const tooLong = `is longer than ${2 * MIB} bytes`;
    expect(problemsOf(tight)).toEqual([undefined, tooLong, tooLong, undefined]);
    const wide = await rowsOf((bytes) => readJsonList(bytes, 16 * MIB), text);
    expect(problemsOf(wide)).toEqual(times(4, () => undefined));
  });

  it("names an object that is too long at the end as well, and nothing for blanks there", async () => {
    const read: Read = (bytes) => readJsonList(bytes, 100);
    expect(problemsOf(await rowsOf(read, `[{"sku":"A"},{"sku":"B"${" ".repeat(100)}}]`))).toEqual([
      undefined,
      "is longer than 100 bytes",
    ]);
    expect(problemsOf(await rowsOf(read, `[{"sku":"A"},\n]`))).toEqual([undefined]);
    expect(await rowsOf(read, "[ ]")).toEqual([]);
  });

  it("has products of up to 16 MiB for the command", async () => {
    const folder = await mkdtemp(join(tmpdir(), "catalog-bounds-test-"));
    try {
      const file = join(folder, "list.json");
      await writeFile(file, `[${product("A", 0)},${product("B", 3 * MIB)},${product("C", 17 * MIB)}]`);
      const { records, problems } = await readImport(file);
      expect(records.map(({ sku }) => sku)).toEqual(["A", "B"]);
      expect(problems).toEqual([`3: is longer than ${16 * MIB} bytes`]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
