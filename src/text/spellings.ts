/**
 * Returns likely spellings of a name when case does not matter: as given, lower case, upper case, and capitalized. It
 * serves columns that ignore the case of ASCII letters only (SQLite's NOCASE). In Unicode normal form C.
 */
export function spellings(name: string): string[] {
  const given = name.normalize("NFC");
  const [small, large] = [given.toLowerCase(), given.toUpperCase()];
  const [first = "", ...rest] = small;
  return [...new Set([given, small, large, first.toUpperCase() + rest.join("")])];
}
