import { CARDS_URI } from "../catalog/cards-uri.ts";
import type { Policy } from "../policy/schema.ts";

// The page that shows products and changes of stock in clients with MCP Apps (revision 2026-01-26). It is the same for every
// caller, and gets its data from the client. `lab cards` builds it from cards/.

const CARDS_TYPE = "text/html;profile=mcp-app";

/** The files of public/. */
export interface Assets {
  fetch(url: string): Promise<Response>;
}

/** Returns the page as resources/read answers it. Throws if public/ lacks it. */
export async function readCards(assets: Assets, { cards }: Policy) {
  // Files of public/ have no host of their own.
  const page = await assets.fetch("https://assets.invalid/cards");
  if (!page.ok) throw new Error(`The page of the cards: ${page.status}`);
  const resourceDomains = cards.image_hosts.map((host) => `https://${host}`);
  return {
    uri: CARDS_URI,
    mimeType: CARDS_TYPE,
    text: await page.text(),
    _meta: { ui: { csp: { resourceDomains }, prefersBorder: false } },
  };
}
