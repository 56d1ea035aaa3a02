/** Columns of products that hold a field of a staged row as it is, and columns that hold one as JSON. */
export const TEXT_COLUMNS = [
  "name",
  "model",
  "brand",
  "description",
  "price_minor",
  "currency",
  "minor_per_major",
  "gtin",
  "image_url",
  "status",
  "sale_minor",
  "sale_starts_at",
  "sale_ends_at",
  "url",
  "condition",
  "rating_value",
  "rating_count",
  "availability",
  "available_from",
] as const;
export const JSON_COLUMNS = ["attributes", "options", "more_images"] as const;

/** SQL for these columns, in the same order, of a staged row. */
export const STAGED_COLUMNS = [
  ...TEXT_COLUMNS.map((name) => `record ->> '${name}'`),
  ...JSON_COLUMNS.map((name) => `record -> '${name}'`),
];
