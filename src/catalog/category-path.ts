/** Separates the names in a category's path. */
export const PATH_SEPARATOR = " > ";

/** Returns a category's path and those above it: "A > B" is in "A" too. */
export function pathsOf(category: string): string[] {
  const names = category.split(PATH_SEPARATOR);
  return names.map((_, index) => names.slice(0, index + 1).join(PATH_SEPARATOR));
}
