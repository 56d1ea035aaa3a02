import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as z from "zod";
import { readSettings } from "../../../../src/env.ts";
import { app } from "../../../../src/app.ts";

/** The URL under which the Worker under test believes it is deployed. */
export const ORIGIN = "https://catalog.someone.workers.dev";
export const RESOURCE = `${ORIGIN}/mcp`;

export type Settings = Record<string, string | undefined>;
export const DEPLOYED: Settings = {
  SECRET_KEY: "a secret of thirty-two bytes or more",
  LOCAL_ANONYMOUS: "off",
};

/** Returns the settings as the app reads them. */
export function settingsOf(settings: Settings) {
  const read = readSettings(settings);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.settings;
}

/** Sends a request to the app as it runs under a URL. `settings` are its variables, and may replace bindings. */
export async function send(
  url: string | URL,
  init: RequestInit = {},
  settings: object = DEPLOYED,
): Promise<Response> {
  const request = new Request(new URL(url, ORIGIN), init);
  if (!request.headers.has("host")) request.headers.set("host", new URL(request.url).host);
  const ctx = createExecutionContext();
  const response = await app.fetch(request, { ...env, ctx, ...settings }, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** Sends a raw JSON-RPC POST on the 2025 lane. */
export async function post(
  body: unknown,
  headers: Record<string, string> = {},
  { url = RESOURCE, settings = DEPLOYED }: { url?: string; settings?: Settings } = {},
): Promise<Response> {
  return send(
    url,
    {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: JSON.stringify(body),
    },
    settings,
  );
}

/** Builds a form as a browser posts it. */
export const form = (
  fields: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  body: new URLSearchParams(fields).toString(),
});

const answerSchema = z.object({
  id: z.union([z.string(), z.number(), z.null()]),
  result: z.looseObject({ isError: z.boolean().optional() }).optional(),
  error: z.looseObject({ code: z.int(), data: z.looseObject({ code: z.string() }) }).optional(),
});

/** Returns every JSON-RPC message of an answer, from JSON or events. */
export async function answers(response: Response) {
  const text = await response.text();
  const messages: unknown[] = response.headers.get("content-type")?.includes("event-stream")
    ? [...text.matchAll(/^data: (.+)$/gm)].map(([, data = "null"]) => JSON.parse(data))
    : [JSON.parse(text)].flat();
  return z.array(answerSchema).parse(messages);
}

/** Returns the parameters of a WWW-Authenticate challenge. */
export function challenge(response: Response): Record<string, string> {
  const header = response.headers.get("www-authenticate") ?? "";
  return Object.fromEntries(
    [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

export const search = (id: number | string = 1) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: "search_products", arguments: { query: "keyboard" } },
});
