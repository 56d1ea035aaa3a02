import { createHash } from "node:crypto";

const SKU_MAX = 64;
const HASH_LENGTH = 10;

/**
 * Makes a SKU of a product's handle and its options' values: `linen-shirt.M`. The same parts always make the same SKU,
 * and different parts different ones: a hash is added if a character had to be replaced, or the SKU to be cut.
 */
export function madeSku(parts: readonly string[]): string {
  const written = parts.map((part) =>
    part
      .normalize("NFC")
      .replace(/[^\p{L}\p{N}_-]+/gu, "-")
      .replace(/^-|-$/g, ""),
  );
  const joined = written.join(".");
  if (joined.length <= SKU_MAX && written.every((part, index) => part === parts[index] && part !== ""))
    return joined;
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, HASH_LENGTH);
  return `${joined.slice(0, SKU_MAX - HASH_LENGTH - 1).replace(/[\ud800-\udbff]$/, "")}-${hash}`;
}
