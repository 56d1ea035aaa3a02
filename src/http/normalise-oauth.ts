import { createMiddleware } from "hono/factory";
import * as z from "zod";
import type { AppTypes } from "../app-types.ts";
import { basicClientId } from "../identity/basic-client-id.ts";
import type { Setup } from "../identity/oauth.ts";

// Requests of real clients that the OAuth library refuses although they are harmless, in the form that it accepts.
// test/worker/identity/oauth-requests.test.ts fails when the library accepts one by itself; the rewriting can go then.

/** Rewrites requests to /authorize, /oauth/token and /oauth/register. Everything else about them stays as it was sent. */
export const normaliseOAuth = createMiddleware<AppTypes>(async (c, next) => {
  c.req.raw = await normaliseRequest(c.req.raw, c.var);
  await next();
});

async function normaliseRequest(request: Request, { origin, settings }: Setup): Promise<Request> {
  const url = new URL(request.url);
  if (request.method === "GET") {
    url.search = normaliseParameters(url.searchParams, origin).toString();
    return new Request(url, request);
  }
  if (request.method !== "POST") return request;
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (url.pathname === "/oauth/token" && type === "application/x-www-form-urlencoded") {
    const form = normaliseParameters(new URLSearchParams(await textOf(request)), origin);
    const basic = basicClientId(request.headers.get("authorization"));
    // The Python SDK sends both. Only the same id says nothing new; the library refuses another one.
    if (basic !== undefined && form.getAll("client_id").every((id) => id === basic)) form.delete("client_id");
    return new Request(request, { method: "POST", body: form.toString() });
  }
  if (url.pathname === "/oauth/register") {
    const body = normaliseRegistration(await textOf(request), servedTypes(settings));
    return body === undefined ? request : new Request(request, { method: "POST", body });
  }
  return request;
}

/**
 * Leaves out parameters without a value, which count as omitted (RFC 6749, sections 3.1 and 3.2), and names the one
 * resource of this server by its identifier.
 */
function normaliseParameters(parameters: URLSearchParams, origin: string): URLSearchParams {
  const sent = [...parameters].filter(([, value]) => value !== "");
  return new URLSearchParams(
    sent.map(([name, value]) => [name, name === "resource" ? resourceOf(value, origin) : value]),
  );
}

/** Returns the resource's identifier for its other spellings: the origin, or a slash at the end. */
function resourceOf(value: string, origin: string): string {
  const named = URL.canParse(value) ? new URL(value).href : value;
  return [`${origin}/`, `${origin}/mcp`, `${origin}/mcp/`].includes(named) ? `${origin}/mcp` : value;
}

/** Lists what this server serves. The library refuses a registration that lists anything else beside it. */
const servedTypes = ({ ENTERPRISE_AUTHORIZATION }: Setup["settings"]) => ({
  grant_types: [
    "authorization_code",
    "refresh_token",
    ...(ENTERPRISE_AUTHORIZATION === "on" ? ["urn:ietf:params:oauth:grant-type:jwt-bearer"] : []),
  ],
  response_types: ["code"],
});

const registrationSchema = z.record(z.string(), z.unknown());
const listSchema = z.array(z.string());

/**
 * Leaves out members that are null, and grant and response types that this server does not serve: RFC 7591, section
 * 3.2.1 lets a server register less than was requested. Returns undefined for a body that is no JSON object.
 */
function normaliseRegistration(text: string, types: ReturnType<typeof servedTypes>): string | undefined {
  const parsed = registrationSchema.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const members = Object.entries(parsed.data).filter(([, value]) => value !== null);
  const metadata = new Map(members);
  for (const [name, served] of Object.entries(types)) {
    const listed = listSchema.safeParse(metadata.get(name));
    const kept = listed.data?.filter((type) => served.includes(type)) ?? [];
    // A client that wants nothing of this is refused by the library, which says why.
    if (kept.length > 0) metadata.set(name, kept);
  }
  return JSON.stringify(Object.fromEntries(metadata));
}

/** workerd's own \`text()\` warns about forms, whose content type it does not know as text. */
const textOf = async (request: Request): Promise<string> =>
  new TextDecoder().decode(await request.clone().arrayBuffer());

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
