import type { Catalog } from "./catalog/repository.ts";
import type { Inventory } from "./inventory/repository.ts";

/** All that a tool, resource or prompt can reach. There is no way from here to `env`. */
export interface CallContext {
  catalog: Catalog;
  inventory: Inventory;
  /** Milliseconds since the epoch. */
  now: number;
}
