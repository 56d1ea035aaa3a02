import { version } from "../../package.json";
import { type Assets, fillIn, readPublic } from "../public-files.ts";

// Descriptions that clients read before they connect: the server card (SEP-2127), the catalog that leads to it
// (github.com/Agent-Card/ai-catalog) and the profile for shopping agents (docs/ucp.md). They hold only what everybody may know, so
// that any page may read them.

const CARD = { file: "server-card.json", type: "application/mcp-server-card+json" };
const CATALOG = { file: "ai-catalog.json", type: "application/ai-catalog+json" };

/** The documents by their paths. The card is at its reserved place beside the endpoint, and at that of earlier drafts. */
export const DISCOVERY = new Map([
  ["/mcp/server-card", CARD],
  ["/.well-known/mcp/server-card.json", CARD],
  ["/.well-known/ai-catalog.json", CATALOG],
  ["/.well-known/ucp", { file: "ucp.json", type: "application/json" }],
]);

/** The card's entry for callers without a credential, after another one. */
const PUBLIC_REMOTE = /,\s*\{[^{}]*\/mcp\/public"[^{}]*\}/;

/** Returns a document as their specifications ask for it: cacheable, with a tag, readable from any page. */
export async function describeServer(
  request: Request,
  assets: Assets,
  { file, type }: typeof CARD,
  { origin, isPublic }: { origin: string; isPublic: boolean },
): Promise<Response> {
  const { hostname: host } = new URL(origin);
  const reversed = host.split(".").toReversed().join(".");
  const filled = fillIn(await readPublic(assets, file), { origin, host, "reversed-host": reversed, version });
  const body = isPublic ? filled : filled.replace(PUBLIC_REMOTE, "");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  const ETag = `"${Buffer.from(digest).toString("base64url")}"`;
  const headers = {
    "Content-Type": type,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Content-Type, If-None-Match",
    "Access-Control-Expose-Headers": "ETag",
    "Cache-Control": "public, max-age=3600",
    ETag,
  };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  const isKept = request.headers.get("If-None-Match")?.includes(ETag);
  return isKept === true ? new Response(null, { status: 304, headers }) : new Response(body, { headers });
}
