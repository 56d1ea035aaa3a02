/** Parts that must work before a call can be served. Monitors depend on these names, so they are stable. */
export const PARTS = ["settings", "secret", "policy", "database", "schema", "durable_object"] as const;
export type Part = (typeof PARTS)[number];
