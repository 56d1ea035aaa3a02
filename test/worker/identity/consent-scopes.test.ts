import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { setRoles } from "../../../src/identity/administration.ts";
import { fill, sample } from "../support/catalog.ts";
import { offered, signedIn, ticked } from "./support/browser.ts";
import { bearer, challenge, post } from "./support/deployed.ts";
import {
  authorizeUrl,
  codeFor,
  decide,
  exchange,
  granted,
  newFlow,
  openConsent,
  ready,
  target,
  tokensOf,
} from "./support/oauth-client.ts";
import { newKey, newUser } from "./support/people.ts";

beforeAll(() => fill(sample));

const SUPPORT = ["catalog:read", "support:read", "support:write"];

describe("the consent page", () => {
  it("offers every scope of the roles, and ticks only what the client requested", async () => {
    const { browser, flow } = await ready(["support"]);
    const html = await openConsent(browser, flow);
    expect(offered(html)).toEqual(SUPPORT);
    expect(ticked(html)).toEqual(["catalog:read"]);
  });

  it.each([
    { requests: "nothing", scope: undefined },
    { requests: "an empty scope", scope: "" },
    { requests: "scopes of another protocol", scope: "openid email profile" },
    { requests: "only to stay signed in", scope: "offline_access" },
  ])("offers everything to a client that requests $requests, and ticks the base scope", async ({ scope }) => {
    const { browser, flow } = await ready(["support"]);
    const html = await (await browser.request(authorizeUrl(flow, { scope }))).text();
    expect(offered(html)).toEqual(SUPPORT);
    expect(ticked(html)).toEqual(["catalog:read"]);
  });

  it("offers no scope that the roles do not allow, and says that one was requested", async () => {
    const { browser, flow } = await ready(["shopper"], "admin");
    const html = await openConsent(browser, flow);
    expect(offered(html)).toEqual(["catalog:read"]);
    expect(ticked(html)).toEqual([]);
    expect(html).toContain("Your roles do not allow admin.");
  });

  it("offers nothing to allow to a person whose roles allow nothing", async () => {
    const user = await newUser();
    const browser = await signedIn((await newKey(user)).secret);
    const flow = await newFlow();
    await runBatch(env.DB, setRoles(user, [], { by: null, now: Date.now() }));
    const html = await openConsent(browser, flow);
    expect(offered(html)).toEqual([]);
    expect(html).not.toContain('value="allow"');
  });

  it("grants what the person ticked beyond the request, and the answer with the token says so", async () => {
    const { browser, flow } = await ready(["support"]);
    const code = await codeFor(browser, flow, SUPPORT);
    expect((await tokensOf(await exchange(flow, code))).scope).toBe(SUPPORT.join(" "));
  });

  it("grants nothing beyond the roles, whatever is ticked", async () => {
    const { browser, flow } = await ready(["shopper"]);
    const response = await decide(browser, await openConsent(browser, flow), {
      scopes: ["catalog:read", "support:read", "admin", "offline_access", "nonsense"],
    });
    const code = target(response).searchParams.get("code") ?? "";
    expect((await tokensOf(await exchange(flow, code))).scope).toBe("catalog:read");
  });

  it("offers no more than a narrowed key", async () => {
    const { secret } = await newKey(await newUser(["support", "shopper"]), { roles: ["shopper"] });
    const html = await openConsent(await signedIn(secret), await newFlow());
    expect(offered(html)).toEqual(["catalog:read"]);
  });
});

const bodySchema = z.object({ error: z.string(), error_description: z.string() });
const closing = {
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "close_ticket", arguments: { ticket_id: "T-1", dry_run: true } },
};

describe("the challenge for more scopes", () => {
  it("names the missing scopes in its body", async () => {
    const { tokens } = await granted(["support"], ["catalog:read"]);
    const response = await post(closing, bearer(tokens.access_token));
    expect(response.status).toBe(403);
    const body = bodySchema.parse(await response.json());
    expect(body.error).toBe("insufficient_scope");
    expect(body.error_description).toMatch(/catalog:read and support:write/);
    expect(challenge(response)["error_description"]).toBe(body.error_description);
  });

  it("names the scopes that the token has, so that the next sign-in does not lose them", async () => {
    const { tokens } = await granted(["support"], ["catalog:read", "support:read"]);
    const response = await post(closing, bearer(tokens.access_token));
    expect(challenge(response)["scope"]).toBe(SUPPORT.join(" "));
  });
});
