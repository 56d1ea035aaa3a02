import fc from "fast-check";
import { expect, it } from "vitest";
import { headerText } from "../../../cli/mcp-message.ts";
import { readLines } from "../../../cli/stdio/lines.ts";

async function* inChunks(bytes: Uint8Array, size: number) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
async function read(text: string, size: number, max: number): Promise<(string | undefined)[]> {
  const lines = [];
  for await (const line of readLines(inChunks(Buffer.from(text), size), max)) lines.push(line);
  return lines;
}

it("lines are equal however their bytes arrive; those above the limit lose their text", async () => {
  const line = fc.stringMatching(/^[a-zé🙂\r ]{0,12}$/u);
  const cases = fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 9 }), async (lines, size) => {
    const expected = lines.map((each) => (Buffer.byteLength(each) > 10 ? undefined : each));
    expect(await read(lines.map((each) => `${each}\n`).join(""), size, 10)).toEqual(expected);
  });
  await fc.assert(cases);
});

it("the last line may lack its line break, and a final line break starts no line", async () => {
  expect(await read("a\nb", 1, 10)).toEqual(["a", "b"]);
  expect(await read("a\n", 1, 10)).toEqual(["a"]);
  expect(await read("", 1, 10)).toEqual([]);
  expect(await read(`a\n${"b".repeat(11)}`, 4, 10)).toEqual(["a", undefined]);
});

it.each([
  ["tools/call", "tools/call"],
  ["a b", "a b"],
  [" a", "=?base64?IGE=?="],
  ["", "=?base64??="],
  ["nø", "=?base64?bsO4?="],
  ["a\nb: c", "=?base64?YQpiOiBj?="],
  ["=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="],
])("a header encodes %j as %s", (text, header) => {
  expect(headerText(text)).toBe(header);
});
