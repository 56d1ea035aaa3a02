import { compareProducts } from "./compare-products.ts";
import { findProduct } from "./find-product.ts";
import type { Prompt } from "./prompt.ts";
import { stockReport } from "./stock-report.ts";

/** Every prompt, in the order that clients see. */
export const prompts: readonly Prompt[] = [findProduct, compareProducts, stockReport];
