import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { readableLine } from "../../../cli/local/log-lines.ts";
import { scrub } from "../../../src/telemetry/scrub.ts";

const plain = (line: object | string) =>
  stripVTControlCharacters(readableLine(typeof line === "string" ? line : JSON.stringify(line)));
const base = { timestamp: "2026-11-24T19:45:00.607Z", level: "info", event: "tool_invocation_completed" };

it("formats a call's line for a person", () => {
  const line = {
    ...base,
    tool_name: "query_stock",
    duration_ms: 77,
    records: 1,
    client: "x/1",
    arguments: { a: 1 },
  };
  expect(plain(line)).toBe(
    '19:45:00  tool_invocation_completed  query_stock  77 ms  1 records  client=x/1  arguments={"a":1}',
  );
});

it("shows an error's stack below its line, and passes on no terminal sequence", () => {
  const error = "Error: \u001b[2Jno\n  at x";
  const line = {
    ...base,
    level: "error",
    event: "internal_error",
    what: "settle",
    error,
    client: "\u001b[31mred",
  };
  expect(readableLine(JSON.stringify(line))).not.toContain("\u001b[2J");
  expect(plain(line)).toBe("19:45:00  internal_error  settle  client=red\n    Error: no\n      at x");
});

it.each(["Ready on http://127.0.0.1", "{broken", '{"other":1}', ""])(
  "leaves other lines unchanged: %s",
  (text) => expect(readableLine(text)).toBe(text),
);

it.each([
  ["key pcm_xs7cu7zCMlAX1sNS9XrKCAOQLfebLRYheAPLu9_Jk6Y_M90FDp.", "key [key]."],
  ["Authorization: Bearer user:grant:abcdefgh", "Authorization: Bearer [token]"],
  ["UNIQUE failed for ada.moreau@example.com!", "UNIQUE failed for [email]!"],
  ["call +49 30 1234 5678 now", "call [number] now"],
  ["sealed WnVtIEJlaXNwaWVsIGVpbiBsYW5nZXIgVGV4dA== here", "sealed [token] here"],
  ["ref 689867d3-3f68-4426-be9b-9785d38cd515 stays", "ref 689867d3-3f68-4426-be9b-9785d38cd515 stays"],
  ["at run (file:///work/src/mcp/call-tool.ts:34:12)", "at run (file:///work/src/mcp/call-tool.ts:34:12)"],
  ["D1_ERROR: no such table: products: SQLITE_ERROR", "D1_ERROR: no such table: products: SQLITE_ERROR"],
])("removes possible secrets and personal data from an error's text: %s", (text, expected) =>
  expect(scrub(text)).toBe(expected),
);

it("takes linear time over hostile long texts", () => {
  const started = performance.now();
  for (const piece of ["a", "1", "a@", "1 ", "a.", "-", "bearer "]) scrub(piece.repeat(2_000));
  expect(performance.now() - started).toBeLessThan(500);
});
