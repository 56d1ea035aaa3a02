import { firstCode } from "../support/codes.ts";
import type { Answered } from "../support/requests.ts";

/** Texts that only the inside of the server has. */
const INTERNAL = [
  /\n\s+at\s.+[:)]\d*/,
  /\b(?:SQLITE_|D1_ERROR|SqliteError)/,
  /\b(?:node_modules|cloudflare:|file:\/\/\/|workerd)/,
  /\b(?:ZodError|TypeError|RangeError|ReferenceError|SyntaxError):/,
  /\b(?:supplier_id|cost_minor|SECRET_KEY|LOCAL_KEY)\b/,
  /\bS-\d{3}\b/,
];

/** Returns all that is wrong with an answer; the server promises that it is nothing. */
export function problemsOf({ status, headers, body, ms }: Answered, deadlineMs: number): string[] {
  const problems: string[] = [];
  if (status >= 500 && (headers.get("x-request-id") === null || firstCode(body) === undefined))
    problems.push(`HTTP ${status} without a reference and a code`);
  const internal = INTERNAL.find((pattern) => pattern.test(body));
  if (internal !== undefined) problems.push(`shows something internal: ${internal.exec(body)?.[0] ?? ""}`);
  if (ms > deadlineMs) problems.push(`took ${Math.round(ms)} ms`);
  return problems;
}
