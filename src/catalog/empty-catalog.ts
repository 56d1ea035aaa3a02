import type { CatalogOverview } from "./repository.ts";

/** Returns a hint for the operator if nothing was ever imported, else undefined. */
export function emptyCatalogNotice({ changedAt }: CatalogOverview): string | undefined {
  if (changedAt !== null) return undefined;
  return "The catalog is empty. Its operator fills it with: npx product-catalog-mcp import FILE (and --remote where it is deployed)";
}
