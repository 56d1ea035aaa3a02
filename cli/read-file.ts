import { readFile } from "node:fs/promises";
import * as z from "zod";
import { sayMissing } from "../src/validation/missing-message.ts";

const REASONS: Record<string, string> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
};

/** Why a file can't be read, in words: `products.jsonl can't be read: there is no such file.` */
export function whyUnreadable(file: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  return `${file} can't be read: ${REASONS[code] ?? message}.`;
}

/** A file's bytes, or an Error whose message names the file and what is wrong. */
export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(whyUnreadable(file, error), { cause: error });
  }
}

/** A file's text, likewise. */
export const readText = async (file: string): Promise<string> => (await readBytes(file)).toString("utf8");

/** Undefined where it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * JSON of a known shape, or an Error that names `source` and the first field that is wrong. `expected` says what it
 * should have been: "a public key".
 */
export function parseJsonAs<T>(schema: z.ZodType<T>, text: string, source: string, expected: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${source} is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const parsed = schema.safeParse(value, { error: sayMissing });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") ?? "";
  throw new Error(
    `${source} is not ${expected}: ${path === "" ? "" : `${path}: `}${issue?.message ?? "unreadable"}`,
  );
}
