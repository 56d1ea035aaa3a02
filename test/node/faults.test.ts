import { expect, it } from "vitest";
import { cellsOf } from "../../lab/faults/report.ts";
import { codeOf } from "../../lab/support/codes.ts";

const answer = (status: number, body: string) => ({ status, body, headers: new Headers(), ms: 1 });

it.each([
  ["a result", answer(200, '{"result":{"content":[]}}'), "answered"],
  ["a page", answer(200, "<h1>Dashboard</h1>"), "answered"],
  [
    "a refusal in a result",
    answer(200, '{"result":{"isError":true,"_meta":{"x":{"code":"timeout"}}}}'),
    "timeout",
  ],
  [
    "a refusal over HTTP",
    answer(503, '{"error":{"code":-32000,"data":{"code":"unavailable"}}}'),
    "unavailable",
  ],
  ["an error of the runtime", answer(500, "Error: internal failure"), "internal"],
  ["an error without a code", answer(502, "<h1>Bad gateway</h1>"), undefined],
  ["an error in a 200", answer(200, '{"error":{"message":"no"}}'), undefined],
])("lab faults reads %s", (_, given, code) => expect(codeOf(given)).toBe(code));

it("lab faults names what was refused", () => {
  const row = {
    fault: "D1 fails",
    longestMs: 1_500,
    kept: "audit",
    logged: ["internal_error"],
    problems: [],
  };
  const codes = { read: "answered", write: "unavailable", page: "unavailable" };
  expect(cellsOf({ ...row, codes })).toEqual([
    "D1 fails",
    "`unavailable`: every call but read",
    "2 s",
    "audit",
    "`internal_error`",
  ]);
});
