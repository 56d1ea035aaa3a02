import type { Catalog } from "./repository.ts";

/** A hint for the operator where nothing was ever imported, else undefined. */
export async function emptyCatalogNotice(catalog: Catalog): Promise<string | undefined> {
  const { changedAt } = await catalog.overview();
  if (changedAt !== null) return undefined;
  return "The catalog is empty. Its operator fills it with: npm run catalog -- import FILE (and --remote where it is deployed)";
}
