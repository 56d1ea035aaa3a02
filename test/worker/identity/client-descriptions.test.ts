import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { Browser, signedIn } from "./support/browser.ts";
import { DEPLOYED, ORIGIN, type Settings, form, send } from "./support/deployed.ts";
import { REDIRECT, authorizeUrl, errorOf, newFlow } from "./support/oauth-client.ts";
import { keyOf } from "./support/people.ts";

// Clients that describe themselves at an https address (Client ID Metadata Documents).

beforeAll(() => ensureMigrated(env.DB));
afterEach(() => vi.restoreAllMocks());

let clients = 0;
const newClientId = () => `https://app-${(clients += 1)}.example/oauth/client.json`;

/** Answers requests for a client's description. */
function describedBy(answer: (url: string) => Promise<Response>): void {
  const elsewhere = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const { url } = new Request(input, init);
    return /^https:\/\/app-\d+\.example\//.test(url) ? answer(url) : elsewhere(input, init);
  });
}
const goodAnswer = async (url: string) =>
  Response.json({ client_id: url, client_name: "Described app", redirect_uris: [REDIRECT] });

async function open(clientId: string, settings: Settings = DEPLOYED): Promise<Response> {
  const url = authorizeUrl(await newFlow(), { client_id: clientId });
  const browser = new Browser(ORIGIN, settings);
  const { cookies } = await signedIn(await keyOf(["shopper"]));
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  return browser.request(url);
}

const advertised = async (settings: Settings) =>
  z
    .object({ client_id_metadata_document_supported: z.boolean() })
    .parse(await (await send("/.well-known/oauth-authorization-server", {}, settings)).json())
    .client_id_metadata_document_supported;

const OFF = { ...DEPLOYED, CLIENT_METADATA_DOCUMENTS: "off" };

describe("a client's description", () => {
  it("is fetched, and its host is shown", async () => {
    describedBy(goodAnswer);
    const clientId = newClientId();
    const page = await (await open(clientId)).text();
    expect(page).toContain(`published by <strong>${new URL(clientId).host}</strong>`);
    expect(await advertised(DEPLOYED)).toBe(true);
  });

  it.each([
    { how: "can't be reached", answer: () => Promise.reject(new TypeError("Network connection lost.")) },
    { how: "answers 404", answer: async () => new Response(null, { status: 404 }) },
    { how: "never answers", answer: () => new Promise<Response>(() => {}) },
  ])("whose host $how leads to a page that names the setting", async ({ answer }) => {
    describedBy(answer);
    const clientId = newClientId();
    const response = await open(clientId, { ...DEPLOYED, OUTBOUND_DEADLINE_MS: "2500" });
    expect(response.status).toBe(400);
    const page = await response.text();
    expect(page).toContain("CLIENT_METADATA_DOCUMENTS=off");
    expect(page).toContain(new URL(clientId).host);
  });

  it("is neither advertised nor fetched while the setting is off, and the page names the setting", async () => {
    const asked: string[] = [];
    describedBy((url) => {
      asked.push(url);
      return goodAnswer(url);
    });
    expect(await advertised(OFF)).toBe(false);
    const clientId = newClientId();
    const response = await open(clientId, OFF);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("CLIENT_METADATA_DOCUMENTS");
    const fields = { grant_type: "refresh_token", client_id: clientId, refresh_token: "a:b:c" };
    expect(await errorOf(await send("/oauth/token", form(fields), OFF))).toBe("invalid_client");
    expect(asked).toEqual([]);
  });

  it("is not needed by a client that registers while the setting is off", async () => {
    const { query } = await newFlow();
    expect((await open(query["client_id"] ?? "", OFF)).status).toBe(200);
  });
});
