import { CARDS_URI } from "../catalog/cards-uri.ts";
import type { Policy } from "../policy/schema.ts";
import { type Assets, readPublic } from "../public-files.ts";

// The page that shows products and changes of stock in clients with MCP Apps (revision 2026-01-26). It is the same for every
// caller, and gets its data from the client. `lab cards` builds it from cards/.

const CARDS_TYPE = "text/html;profile=mcp-app";

/** Returns the page as resources/read answers it. Throws if public/ lacks it. */
export async function readCards(assets: Assets, { cards }: Policy) {
  const resourceDomains = cards.image_hosts.map((host) => `https://${host}`);
  return {
    uri: CARDS_URI,
    mimeType: CARDS_TYPE,
    text: await readPublic(assets, "cards"),
    _meta: { ui: { csp: { resourceDomains }, prefersBorder: false } },
  };
}
