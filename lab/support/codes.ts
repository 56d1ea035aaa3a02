import { type RefusalCode, isRefusalCode } from "../../src/refusal-codes.ts";
import type { Answered } from "./requests.ts";

export const ANSWERED = "answered";

/** Returns the code of a refusal, `ANSWERED` for any other answer, and undefined for a refusal without a code of the table. */
export function codeOf({ status, body }: Answered): RefusalCode | typeof ANSWERED | undefined {
  if (status < 400 && !/"isError":true|"error":\s*[{"]/.test(body)) return ANSWERED;
  return firstCode(body);
}

/** The first code of a refusal in JSON, or on a page. */
export const firstCode = (body: string): RefusalCode | undefined =>
  [...body.matchAll(/\b[a-z]+(?:_[a-z]+)*\b/g)].map(([code]) => code).find(isRefusalCode);
