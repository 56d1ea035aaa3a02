// Reads values of any shape. A host hands on what the server answered, but the page relies on nothing in it: a field of
// another type counts as missing.

export const field = (of: unknown, name: string): unknown =>
  typeof of === "object" && of !== null && Object.hasOwn(of, name) ? Reflect.get(of, name) : undefined;

/** Returns a text; empty if the field has none. */
export function text(of: unknown, name: string): string {
  const value = field(of, name);
  return typeof value === "string" ? value : "";
}

export function number(of: unknown, name: string): number | undefined {
  const value = field(of, name);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function list(of: unknown, name: string): unknown[] {
  const value = field(of, name);
  return Array.isArray(value) ? value : [];
}

/** Returns a record's entries, in order. */
export function entries(of: unknown, name: string): [string, unknown][] {
  const value = field(of, name);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** Returns an http or https URL in its normal form; undefined for anything else, such as javascript: or data:. */
export function webUrl(value: unknown): string | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined;
  const { protocol, href } = new URL(value);
  return protocol === "https:" || protocol === "http:" ? href : undefined;
}
