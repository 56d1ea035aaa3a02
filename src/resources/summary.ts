import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { emptyCatalogNotice } from "../catalog/empty-catalog.ts";
import { NOWHERE } from "../detection/labels.ts";
import { CATALOG, type Resource } from "./resource.ts";

const CATEGORIES_MAX = 200;

export const summaryResource: Resource = {
  uri: "catalog://products/summary",
  name: "catalog-summary",
  title: "Catalog summary",
  description: "How many active products there are, in which categories, and when the catalog last changed",
  scope: CATALOG.scope,
  runsAhead: true,
  labels: { ...CATALOG.labels, objects: NOWHERE, cost: { records: 1, bytes: 64_000 } },

  async read({ catalog }) {
    const [overview, categories] = await Promise.all([
      catalog.overview(),
      catalog.categories(CATEGORIES_MAX + 1),
    ]);
    const notice = emptyCatalogNotice(overview);
    const shown = categories.slice(0, CATEGORIES_MAX);
    const value = {
      total: overview.activeProducts,
      categories: shown,
      truncated: categories.length > CATEGORIES_MAX,
      changed_at: overview.changedAt === null ? null : new Date(overview.changedAt).toISOString(),
      ...(notice !== undefined && { notice }),
    };
    return ok(answered(value, { records: 1 }));
  },
};
