import { isRefusalCode } from "../../src/refusal.ts";

export interface Answered {
  status: number;
  headers: Headers;
  body: string;
  /** Milliseconds from the first byte sent to the last one received. */
  ms: number;
}

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
  if (status >= 500 && (headers.get("x-request-id") === null || !codesIn(body).some(isRefusalCode)))
    problems.push(`HTTP ${status} without a reference and a code`);
  const internal = INTERNAL.find((pattern) => pattern.test(body));
  if (internal !== undefined) problems.push(`shows something internal: ${internal.exec(body)?.[0] ?? ""}`);
  if (ms > deadlineMs) problems.push(`took ${Math.round(ms)} ms`);
  return problems;
}

/** Codes of refusals in JSON, or on a page. */
const codesIn = (body: string): string[] =>
  [...body.matchAll(/\b[a-z]+(?:_[a-z]+)*\b/g)].map(([code]) => code);
