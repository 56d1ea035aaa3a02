import { fillSupport } from "../../src/support/import/statements.ts";
import { importRecords } from "../import/import-records.ts";
import { demoKeys } from "../local/demo-users.ts";
import type { LocalServer } from "../local/server.ts";
import { sampleDesk, sampleProducts } from "./demo-data.ts";

/**
 * Gives a server on this machine the sample catalog, support desk and users. A catalog that was ever filled,
 * and a desk with customers, are left alone. Returns the demo users' keys by user id.
 */
export async function fillNewState(server: LocalServer, stateDir: string): Promise<Record<string, string>> {
  const [[catalog] = [], customers = []] = await server.batch([
    { sql: "SELECT changed_at FROM catalog_state", values: [] },
    { sql: "SELECT id FROM customers LIMIT 1", values: [] },
  ]);
  if (catalog?.["changed_at"] === null) await importRecords(server, sampleProducts());
  if (customers.length === 0) await server.batch(fillSupport(sampleDesk()));
  return demoKeys(server, stateDir);
}
