import { demoKeys } from "../local/demo-users.ts";
import type { LocalServer } from "../local/server.ts";
import { fillCatalogWhereEmpty } from "./fill-catalog.ts";
import { fillDeskWhereEmpty } from "./fill-desk.ts";

/**
 * Gives a new state folder the sample catalog, support desk and users. Returns the demo users' keys by user
 * id.
 */
export async function fillNewState(server: LocalServer, stateDir: string): Promise<Record<string, string>> {
  await fillCatalogWhereEmpty(server);
  await fillDeskWhereEmpty(server);
  return demoKeys(server, stateDir);
}
