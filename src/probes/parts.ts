/** What must be there before a call can be served. Stable: monitors are written against these words. */
export const PARTS = ["settings", "secret", "policy", "database", "schema", "durable_object"] as const;
export type Part = (typeof PARTS)[number];
