import type { Catalog } from "./catalog/repository.ts";
import type { Inventory } from "./inventory/repository.ts";
import type { Support } from "./support/repository.ts";

/** All that a tool, resource or prompt can reach. There is no way from here to `env`. */
export interface CallContext {
  catalog: Catalog;
  inventory: Inventory;
  /** Bound to the caller: it answers only rows that this caller may see. */
  support: Support;
  /** Milliseconds since the epoch. */
  now: number;
  /** A page holds no more records than that, whatever was asked for. */
  pageMax?: number | undefined;
}
