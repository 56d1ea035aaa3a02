import type { AppContext } from "../app-types.ts";

/** A file with its version in its name, such as `uplot-1.6.32.min.js`, never changes. */
const VERSIONED = /-\d+\.\d+\.\d+\./;

/** Serves a file of public/assets. */
export async function serveAsset(c: AppContext): Promise<Response> {
  const found = await c.env.ASSETS.fetch(c.req.raw);
  if (found.status === 404) return c.notFound();
  const answer = new Response(found.body, found);
  answer.headers.set(
    "Cache-Control",
    VERSIONED.test(c.req.path) ? "public, max-age=31536000, immutable" : "public, no-cache",
  );
  return answer;
}
