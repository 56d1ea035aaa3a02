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

/** Says why a file cannot be read: `products.jsonl can't be read: there is no such file.` */
export function whyUnreadable(file: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  return `${file} can't be read: ${REASONS[code] ?? message}.`;
}

/** Reads a file's bytes. Throws an Error that names the file and the problem. */
export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(whyUnreadable(file, error), { cause: error });
  }
}

/** Reads a file's text. Throws like `readBytes`. */
export const readText = async (file: string): Promise<string> => (await readBytes(file)).toString("utf8");

/** Returns undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Parses JSON of a known shape. Throws an Error that names `source` and the first wrong field; `expected`
 * says what it should be, such as "a public key".
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
