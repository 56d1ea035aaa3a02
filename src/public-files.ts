/** The files of public/. */
export interface Assets {
  fetch(url: string): Promise<Response>;
}

/** Returns the text of a page of public/, named without `.html`. Throws if there is none. */
export async function readPage(assets: Assets, name: string): Promise<string> {
  // Files of public/ have no host of their own.
  const file = await assets.fetch(`https://assets.invalid/${name}`);
  if (!file.ok) throw new Error(`public/${name}.html: ${file.status}`);
  return file.text();
}
