import type { Catalog } from "./catalog/repository.ts";
import type { Inventory } from "./inventory/repository.ts";
import type { Outcome } from "./refusal.ts";
import type { Support } from "./support/repository.ts";

/** Everything that a tool, resource or prompt can reach. `env` cannot be reached from here. */
export interface CallContext {
  catalog: Catalog;
  inventory: Inventory;
  /** Bound to the caller: it returns only rows that this caller may see. */
  support: Support;
  /** The shopping agents that call over UCP. */
  agents: {
    /** Returns whether an agent has the capability, by its profile; a refusal if the profile cannot be used. */
    negotiate(profile: string, capability: string): Promise<Outcome<boolean>>;
  };
  /** Milliseconds since the epoch. */
  now: number;
  /** Records of a page at most, whatever size was requested. */
  pageMax?: number | undefined;
}
