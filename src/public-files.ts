/** The files of public/. */
export interface Assets {
  fetch(url: string): Promise<Response>;
}

/** Returns the text of a file of public/; a page is named without `.html`. Throws if there is none. */
export async function readPublic(assets: Assets, name: string): Promise<string> {
  // Files of public/ have no host of their own.
  const file = await assets.fetch(`https://assets.invalid/${name}`);
  if (!file.ok) throw new Error(`public/${name}: ${file.status}`);
  return file.text();
}

/** Puts values in the places of a text that name them: `{{version}}`. They are not escaped. */
export const fillIn = (text: string, values: Record<string, string>): string =>
  text.replaceAll(/\{\{([a-z-]+)\}\}/g, (_, name: string) => values[name] ?? "");
