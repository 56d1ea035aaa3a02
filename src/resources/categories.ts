import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { NOWHERE } from "../detection/labels.ts";
import { CATALOG, type Resource } from "./resource.ts";

const CATEGORIES_MAX = 1_000;

export const categoriesResource: Resource = {
  uri: "catalog://categories",
  name: "categories",
  title: "Categories",
  description: "The catalog's categories, each with its number of active products",
  scope: CATALOG.scope,
  runsAhead: true,
  labels: { ...CATALOG.labels, objects: NOWHERE, cost: { records: 1_000, bytes: 100_000 } },

  async read({ catalog }) {
    const categories = await catalog.categories(CATEGORIES_MAX + 1);
    const shown = categories.slice(0, CATEGORIES_MAX);
    const value = { categories: shown, truncated: categories.length > CATEGORIES_MAX };
    return ok(answered(value, { records: shown.length }));
  },
};
