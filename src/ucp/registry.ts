import { tools } from "../tools/registry.ts";
import type { Tool } from "../tools/tool.ts";
import { getProductOverUcp } from "./get-product.ts";
import { lookupCatalog } from "./lookup-catalog.ts";
import { searchCatalog } from "./search-catalog.ts";

/** The tools of /ucp/mcp, in the order that agents see. */
export const ucpTools: readonly Tool[] = [searchCatalog, lookupCatalog, getProductOverUcp];

/** Every tool of every endpoint, by whose names the policy allows and the audit records. */
export const allTools: readonly Tool[] = [...tools, ...ucpTools];
