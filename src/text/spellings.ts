/**
 * How a name may be spelt where case does not matter: for columns that ignore the case of ASCII letters alone (SQLite's
 * NOCASE), with the others as they were given, small, large, and large at the beginning. In Unicode normal form C.
 */
export function spellings(name: string): string[] {
  const given = name.normalize("NFC");
  const [small, large] = [given.toLowerCase(), given.toUpperCase()];
  const [first = "", ...rest] = small;
  return [...new Set([given, small, large, first.toUpperCase() + rest.join("")])];
}
