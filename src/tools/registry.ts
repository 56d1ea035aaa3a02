import { getProduct } from "./get-product.ts";
import { listCategories } from "./list-categories.ts";
import { queryStock } from "./query-stock.ts";
import { searchProducts } from "./search-products.ts";
import type { Tool } from "./tool.ts";

/** Every tool, in the order that clients see. */
export const tools: readonly Tool[] = [searchProducts, getProduct, queryStock, listCategories];
