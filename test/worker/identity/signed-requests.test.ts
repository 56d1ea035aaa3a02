import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { hashAddress } from "../../../src/identity/secrets.ts";
import { createSigningKey, revokeSigningKey, signingSecret } from "../../../src/identity/signing-keys.ts";
import { refusals } from "../../../src/refusal-codes.ts";
import { recordsOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { Browser } from "./support/browser.ts";
import { DEPLOYED, RESOURCE, type Settings, answers, bearer, search, send } from "./support/deployed.ts";
import { granted } from "./support/oauth-client.ts";
import { newKey, newUser } from "./support/people.ts";
import { type SignChanges, hmacSigner, newNonce, signed } from "./support/signing.ts";

beforeAll(() => fill(sample));
// Every refusal is logged.
beforeEach(() => void vi.spyOn(console, "info").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

const SECRET_KEY = DEPLOYED["SECRET_KEY"] ?? "";

/** Creates a user with a signing key, and an access key that requires signatures or not. */
async function newSigner(signature: "optional" | "required" = "required", user?: string) {
  const userId = user ?? (await newUser());
  const { id, statement } = createSigningKey(
    { user: userId, label: "test", algorithm: "hmac-sha256" },
    Date.now(),
  );
  await runBatch(env.DB, [statement]);
  const { secret } = await newKey(userId, { signature });
  const bytes = Uint8Array.from(Buffer.from(signingSecret(SECRET_KEY, id)));
  return { userId, key: secret, keyId: id, signer: hmacSigner(bytes) };
}
type Caller = Awaited<ReturnType<typeof newSigner>>;

let addresses = 0;
/** Returns an unused network address, so that one test's charges do not affect another. */
const newAddress = () => `198.51.100.${(addresses += 1)}`;

interface Sent {
  targetUri: string;
  headers: Headers;
  body: Uint8Array;
}

function unsigned(caller: Pick<Caller, "key">, body: unknown, address = newAddress()) {
  return {
    method: "POST",
    targetUri: RESOURCE,
    headers: new Headers({
      ...bearer(caller.key),
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "cf-connecting-ip": address,
    }),
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
}

const sign = (caller: Caller, changes: SignChanges = {}, body: unknown = search(), address?: string) =>
  signed(
    unsigned(caller, body, address),
    { signer: caller.signer, keyId: caller.keyId, now: Date.now() },
    changes,
  );

const post = ({ targetUri, headers, body }: Sent, settings: Settings = DEPLOYED) =>
  send(targetUri, { method: "POST", headers, body }, settings);

const errorSchema = z.object({ error: z.object({ data: z.object({ code: z.string() }) }) });

/**
 * Returns the code of a refusal before dispatch, whose status must be the table's; `served` if there is none.
 */
async function outcomeOf(response: Response): Promise<string> {
  if (response.status === 200) return "served";
  const { code } = errorSchema.parse(await response.json()).error.data;
  expect(response.status).toBe(new Map<string, { http: number }>(Object.entries(refusals)).get(code)?.http);
  return code;
}

describe("a key that requires signatures", () => {
  it("accepts a signed request", async () => {
    const response = await post(await sign(await newSigner()));
    const [answer] = await answers(response);
    expect(answer?.result?.isError).toBeUndefined();
    expect(answer?.result).toHaveProperty("structuredContent");
  });

  it("refuses an unsigned one, and answers other HTTP methods with 405 as for any key", async () => {
    const caller = await newSigner();
    const response = await post(unsigned(caller, search()));
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await outcomeOf(response)).toBe("signature_required");
    for (const method of ["GET", "DELETE"]) {
      const other = await send(RESOURCE, { method, headers: bearer(caller.key) });
      expect(other.status).toBe(405);
      expect(errorSchema.parse(await other.json()).error.data.code).toBe("malformed_request");
    }
  });

  it("does not open the sign-in page, whose browser could not sign", async () => {
    const { key } = await newSigner();
    const browser = new Browser();
    const page = await browser.post("/sign-in", { key });
    expect(await page.text()).toContain("for signed requests only");
    expect(browser.cookies.size).toBe(0);
  });

  it("requires signatures from the tokens obtained with it", async () => {
    const { user, tokens } = await granted();
    expect(await outcomeOf(await post(unsigned({ key: tokens.access_token }, search())))).toBe("served");
    await env.DB.prepare("UPDATE access_keys SET signature = 'required' WHERE user_id = ?").bind(user).run();
    expect(await outcomeOf(await post(unsigned({ key: tokens.access_token }, search())))).toBe(
      "signature_required",
    );
  });

  it("requires signatures from the admin API", async () => {
    const admin = await newSigner("required", await newUser(["admin"]));
    const url = new URL("/admin/api/users", RESOURCE).href;
    const request = {
      ...unsigned(admin, { id: `by-${admin.keyId}`, name: "N", roles: ["shopper"] }),
      targetUri: url,
    };
    const refused = await post(request);
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ code: "signature_required" });
    const list = await send(url, { headers: bearer(admin.key) });
    expect(list.status).toBe(401);
    expect(await list.json()).toMatchObject({ code: "signature_required" });
    const good = await signed(request, { signer: admin.signer, keyId: admin.keyId, now: Date.now() });
    expect((await post(good)).status).toBe(201);
    expect((await post(good)).status).toBe(401);
  });
});

describe("a key that does not require signatures", () => {
  it("accepts requests without a signature and with a good one", async () => {
    const caller = await newSigner("optional");
    expect(await outcomeOf(await post(unsigned(caller, search())))).toBe("served");
    expect(await outcomeOf(await post(await sign(caller)))).toBe("served");
  });

  it("still refuses a bad one", async () => {
    const caller = await newSigner("optional");
    const late = await sign(caller, { parameters: { created: 1, expires: 61 } });
    expect(await outcomeOf(await post(late))).toBe("signature_stale");
  });
});

describe("an intercepted signed request", () => {
  it("is not accepted again", async () => {
    const request = await sign(await newSigner());
    expect(await outcomeOf(await post(request))).toBe("served");
    expect(await outcomeOf(await post(request))).toBe("signature_replayed");
  });

  it("is accepted once of ten at a time", async () => {
    const request = await sign(await newSigner());
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async () => outcomeOf(await post(request))),
    );
    expect(outcomes.filter((outcome) => outcome === "served")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "signature_replayed")).toHaveLength(9);
  });

  it("is refused with another user's token, and with another token of the same user", async () => {
    const request = await sign(await newSigner());
    request.headers.set("authorization", `Bearer ${(await newSigner()).key}`);
    expect(await outcomeOf(await post(request))).toBe("signature_caller");
    const caller = await newSigner();
    const other = await sign(caller);
    other.headers.set("authorization", `Bearer ${(await newKey(caller.userId)).secret}`);
    expect(await outcomeOf(await post(other))).toBe("signature_invalid");
  });

  it("is refused for another URL or another body", async () => {
    const request = await sign(await newSigner());
    expect(await outcomeOf(await post({ ...request, targetUri: `${RESOURCE}?x=1` }))).toBe(
      "signature_invalid",
    );
    const body = new TextEncoder().encode(JSON.stringify(search(2)));
    expect(await outcomeOf(await post({ ...request, body }))).toBe("signature_digest_mismatch");
    expect(await outcomeOf(await post(request))).toBe("served");
  });

  it("does not spend its nonce if it is refused: it may be sent again", async () => {
    const caller = await newSigner();
    const nonce = newNonce();
    const early = await sign(caller, { parameters: { nonce, created: Math.floor(Date.now() / 1000) + 20 } });
    expect(await outcomeOf(await post(early))).toBe("signature_early");
    expect(await outcomeOf(await post(await sign(caller, { parameters: { nonce } })))).toBe("served");
  });
});

describe("signing", () => {
  it("spends one nonce for a batch, whatever is in it", async () => {
    const caller = await newSigner();
    const response = await post(await sign(caller, {}, [search(1), search(2), search(3)]));
    expect(await answers(response)).toHaveLength(3);
    const spent = await runInDurableObject(env.USER_WINDOWS.getByName(caller.userId), (_, { storage }) =>
      storage.sql.exec("SELECT key_id FROM nonces").toArray(),
    );
    expect(spent).toEqual([{ key_id: caller.keyId }]);
  });

  it("uses the URL that clients use, if PUBLIC_URL differs from what the Worker sees", async () => {
    const settings = { ...DEPLOYED, PUBLIC_URL: "https://catalog.example.com" };
    const user = await newUser(["admin"]);
    const admin = await newSigner("required", user);
    const by = { signer: admin.signer, keyId: admin.keyId, now: Date.now() };
    const path = `/admin/api/users/${user}/enable`;
    const seen = new URL(path, RESOURCE).href;
    for (const [targetUri, status] of [
      [`https://catalog.example.com${path}`, 200],
      [seen, 401],
    ] as const) {
      const request = await signed({ ...unsigned(admin, {}), targetUri }, by);
      expect((await post({ ...request, targetUri: seen }, settings)).status).toBe(status);
    }
  });

  it("covers mcp-method and mcp-name if they are sent", async () => {
    const caller = await newSigner();
    const request = await sign(caller);
    request.headers.set("mcp-method", "tools/call");
    expect(await outcomeOf(await post(request))).toBe("signature_incomplete");
  });

  it("ends with the key", async () => {
    const caller = await newSigner();
    await runBatch(env.DB, revokeSigningKey(caller.keyId, Date.now()));
    expect(await outcomeOf(await post(await sign(caller)))).toBe("signature_key");
  });

  it("with an HMAC key ends with the SECRET_KEY that it is derived from", async () => {
    const settings = { ...DEPLOYED, SECRET_KEY: "another secret of thirty-two bytes or more" };
    expect(await outcomeOf(await post(await sign(await newSigner()), settings))).toBe("signature_invalid");
  });

  it("without a token is refused, even if callers without a token are served", async () => {
    const settings = { LOCAL_ANONYMOUS: "on", SECRET_KEY };
    const headers = { "content-type": "application/json", signature: "sig1=:AAAA:" };
    const response = await send("http://127.0.0.1/mcp", { method: "POST", headers, body: "{}" }, settings);
    expect(response.status).toBe(401);
  });

  it("fails closed if the nonce cannot be spent", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const caller = await newSigner();
    const { keyId, signer } = caller;
    // The first nonce creates the table.
    await post(await signed(unsigned(caller, search()), { signer, keyId, now: Date.now() }));
    await runInDurableObject(env.USER_WINDOWS.getByName(caller.userId), (_, { storage }) => {
      storage.sql.exec("ALTER TABLE nonces RENAME TO elsewhere");
    });
    const request = await signed(unsigned(caller, search()), { signer, keyId, now: Date.now() });
    // The object was reached and its own code threw: an unexpected error, not an outage.
    expect(await outcomeOf(await post(request))).toBe("internal");
  });

  it("records when a key was used", async () => {
    const caller = await newSigner();
    await post(await sign(caller));
    const row = await env.DB.prepare("SELECT last_used_at FROM signing_keys WHERE id = ?")
      .bind(caller.keyId)
      .first("last_used_at");
    expect(row).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe("a refused signature", () => {
  it("is charged to its network address, never to the user", async () => {
    const caller = await newSigner();
    const address = newAddress();
    const bad = await sign(caller, { parameters: { tag: "x" } }, search(), address);
    expect(await outcomeOf(await post(bad))).toBe("signature_parameters");
    const users = env.USER_WINDOWS.getByName(caller.userId);
    const tables = "SELECT name FROM sqlite_schema WHERE name NOT GLOB '_cf_*'";
    expect(await runInDurableObject(users, (_, { storage }) => storage.sql.exec(tables).toArray())).toEqual(
      [],
    );
    const theAddress = env.USER_WINDOWS.getByName(`anon-${hashAddress(address, SECRET_KEY)}-signature`);
    expect(await recordsOf(theAddress)).toMatchObject([
      { kind: "attempt", target: "request", name: "signature", decision: "signature_parameters", weight: 1 },
    ]);
  });
});
