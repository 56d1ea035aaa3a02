import { importRecords } from "../import/import-records.ts";
import type { LocalServer } from "../local/server.ts";
import { sampleProducts } from "./fill-desk.ts";

/** Fills the catalog of a server on this machine. A catalog that was ever filled is left alone. */
export async function fillCatalogWhereEmpty(server: LocalServer): Promise<void> {
  const [[state] = []] = await server.batch([{ sql: "SELECT changed_at FROM catalog_state", values: [] }]);
  if (state?.["changed_at"] === null) await importRecords(server, sampleProducts());
}
