import { createHash } from "node:crypto";
import { isReserved } from "../record.ts";
import { type Draft, textOf } from "./rows.ts";

const SKU_MAX = 64;
const HASH_LENGTH = 10;

/**
 * Makes a SKU of a product's handle and its options' values: `linen-shirt.M`. The same parts always make the same SKU,
 * and different parts different ones: a hash is added if a character had to be replaced, the SKU to be cut, or if a row of the
 * file names that SKU as its own.
 */
export function madeSku(parts: readonly string[], taken: ReadonlySet<string> = new Set()): string {
  const written = parts.map((part) =>
    part
      .normalize("NFC")
      .replace(/[^\p{L}\p{N}_-]+/gu, "-")
      .replace(/^-|-$/g, ""),
  );
  const joined = written.join(".");
  const isWhole =
    joined.length <= SKU_MAX && written.every((part, index) => part === parts[index] && part !== "");
  if (isWhole && !taken.has(joined)) return joined;
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, HASH_LENGTH);
  return `${joined.slice(0, SKU_MAX - HASH_LENGTH - 1).replace(/[\ud800-\udbff]$/, "")}-${hash}`;
}

/**
 * The SKU that a row names; "" if there is none. A vendor's export may hold one that can't be a SKU here (record.ts), and an
 * apostrophe that keeps a spreadsheet from reading a number.
 */
export function skuOf({ fields, identity }: Draft): string {
  const sku = textOf(fields["sku"]);
  if (identity === undefined) return sku;
  return isReserved(sku) ? "" : sku.replace(/^'(?=\d)/, "");
}
