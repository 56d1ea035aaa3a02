import { createHash, randomBytes } from "node:crypto";
import { env } from "cloudflare:workers";
import { type SignatureComponent, type Signer, component } from "http-message-sig";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { hashAddress } from "../../../src/identity/secrets.ts";
import { fetchProfile } from "../../../src/ucp/fetch-profile.ts";
import { DEPLOYED, ORIGIN, send as sendDeployed } from "../identity/support/deployed.ts";
import { signedIn } from "../identity/support/browser.ts";
import { keyOf } from "../identity/support/people.ts";
import { type SignChanges, signed } from "../identity/support/signing.ts";
import { recordsOf } from "../support/caller.ts";
import { fill, product } from "../support/catalog.ts";
import { call, newAddress } from "../support/clients.ts";
import { type Publish, WHOLE, expectToFit, publishProfiles } from "./support.ts";

const skus = Array.from({ length: 320 }, (_, index) => `SIGNED-${index}`);

let publish: Publish;
let fetched: string[];
publishProfiles((request) => {
  fetched.push(request.url);
  return publish(request);
});
beforeAll(() => fill([...generateProducts(20, 1), ...skus.map((sku) => product({ sku }))]));
beforeEach(() => {
  fetched = [];
  // Every refused signature is logged.
  vi.spyOn(console, "info").mockImplementation(() => {});
});

const listed: string[] = [];
afterAll(() => listed.forEach((host) => Reflect.deleteProperty(policyInForce().agents, host)));

interface Key {
  signer: Signer;
  jwk: Record<string, string>;
}
const thumbprint = (jwk: object) => createHash("sha256").update(JSON.stringify(jwk)).digest("base64url");

async function newKey(kind: "P-256" | "Ed25519" = "P-256"): Promise<Key> {
  const algorithm =
    kind === "Ed25519" ? { name: kind } : { name: "ECDSA", namedCurve: kind, hash: "SHA-256" };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("no pair");
  const { crv, kty, x, y } = z
    .object({ crv: z.string(), kty: z.string(), x: z.string(), y: z.string().optional() })
    .parse(await crypto.subtle.exportKey("jwk", pair.publicKey));
  const jwk = { crv, kty, x, ...(y !== undefined && { y }) };
  return {
    signer: {
      algorithm: kind === "Ed25519" ? "ed25519" : "ecdsa-p256-sha256",
      sign: async (base) => new Uint8Array(await crypto.subtle.sign(algorithm, pair.privateKey, base)),
    },
    jwk: { ...jwk, kid: thumbprint(jwk) },
  };
}

/** Creates an agent at a new host, which publishes one key. */
async function newAgent({ isListed = false, kind }: { isListed?: boolean; kind?: "P-256" | "Ed25519" } = {}) {
  const key = await newKey(kind);
  const host = `agent-${crypto.randomUUID()}.example`;
  const profile = `https://${host}/profile.json`;
  if (isListed) {
    policyInForce().agents[host] = ["shopper"];
    listed.push(host);
  }
  publish = () => Response.json({ ...WHOLE, keys: [key.jwk] });
  return { ...key, host, profile, principal: `agent:${host}` };
}
type Agent = Awaited<ReturnType<typeof newAgent>>;

interface Asked {
  /** SKUs to look up. */
  ids?: string[];
  address?: string;
  origin?: string;
  /** Headers of the request before it is signed. */
  headers?: Record<string, string>;
  changes?: SignChanges;
  /** Profile that the call names, if not the agent's. */
  named?: string;
  signer?: Signer;
  keyId?: string;
  settings?: object;
}

const COVERED = ["@method", "@authority", "@path", "content-digest", "content-type", "ucp-agent"];

async function sign(agent: Agent, asked: Asked = {}) {
  const { ids = [skus[0]], address = newAddress(), origin = ORIGIN, changes = {} } = asked;
  const meta = { "ucp-agent": { profile: asked.named ?? agent.profile } };
  const request = {
    method: "POST",
    targetUri: `${origin}/ucp/mcp`,
    headers: new Headers({
      "content-type": "application/json",
      "ucp-agent": `profile="${agent.profile}"`,
      "cf-connecting-ip": address,
      ...asked.headers,
    }),
    body: new TextEncoder().encode(JSON.stringify(call("lookup_catalog", { meta, catalog: { ids } }))),
  };
  const by = {
    signer: asked.signer ?? agent.signer,
    keyId: asked.keyId ?? agent.jwk["kid"] ?? "",
    now: Date.now(),
  };
  return signed(request, by, {
    components: () => COVERED,
    ...changes,
    parameters: { tag: undefined, ...changes.parameters },
  });
}

const answerSchema = z.object({
  result: z.looseObject({ structuredContent: z.looseObject({ products: z.array(z.unknown()) }) }).optional(),
  error: z.looseObject({ code: z.int(), data: z.looseObject({ code: z.string() }) }).optional(),
});

const OPEN = { ...DEPLOYED, PUBLIC_CATALOG: "on" };
async function post(request: Awaited<ReturnType<typeof sign>>, settings: object = OPEN, url = "/ucp/mcp") {
  const { method, headers, body } = request;
  const response = await sendDeployed(url, { method, headers, body }, settings);
  const json: unknown = await response.json();
  const { result, error } = answerSchema.parse(json);
  return {
    status: response.status,
    json,
    error,
    code: error?.data.code ?? "ok",
    products: result?.structuredContent.products,
  };
}
const ask = async (agent: Agent, asked: Asked = {}) => post(await sign(agent, asked), asked.settings);

const attemptsOf = async (principal: string) =>
  (await recordsOf(env.USER_WINDOWS.getByName(principal))).filter((record) => record.kind === "attempt");

describe("an agent that the policy lists", () => {
  it.each(["P-256", "Ed25519"] as const)("is a principal when it signs with a %s key", async (kind) => {
    const agent = await newAgent({ isListed: true, kind });
    // The catalog is closed to everybody else.
    const { products } = await ask(agent, { settings: DEPLOYED });
    expect(products).toHaveLength(1);
    expect(fetched).toEqual([agent.profile]);
    const [attempt] = await attemptsOf(agent.principal);
    expect(attempt).toMatchObject({ target: "tool", name: "ucp:lookup_catalog", roles: ["shopper"] });
  });

  it("is shown to admins as what it is, with its roles", async () => {
    const agent = await newAgent({ isListed: true });
    await ask(agent);
    const admin = await signedIn(await keyOf(["admin"]));
    const pageAt = async (path: string) => (await admin.request(path)).text();
    const path = `/admin/callers/${encodeURIComponent(agent.principal)}`;
    await expect.poll(() => pageAt(path)).toContain("<dd>shopping agent</dd>");
    expect(await pageAt(path)).toContain("<dd>shopper</dd>");
    expect(await pageAt(`/admin/callers?q=${agent.host}`)).toContain("shopping agent");
    Reflect.deleteProperty(policyInForce().agents, agent.host);
    expect(await pageAt(path)).toContain("<dd>none</dd>");
  });

  it("signs in the shape of Web Bot Auth", async () => {
    const agent = await newAgent({ isListed: true, kind: "Ed25519" });
    const bot = {
      headers: { "signature-agent": `sig1="${agent.profile}";type=jwks_uri` },
      changes: {
        components: (): SignatureComponent[] => [...COVERED, component("signature-agent", { key: "sig1" })],
        parameters: { tag: "web-bot-auth", nonce: randomBytes(64).toString("base64url") },
      },
    };
    expect((await ask(agent, { ...bot, settings: DEPLOYED })).products).toHaveLength(1);
  });

  it("has limits of its own, wherever it calls from", async () => {
    const [one, other] = [await newAgent({ isListed: true }), await newAgent({ isListed: true })];
    const { max } = policyInForce().limits.calls;
    publish = ({ url }) => Response.json({ ...WHOLE, keys: [url === one.profile ? one.jwk : other.jwk] });
    const codes = [];
    for (let calls = 0; calls <= max; calls++) codes.push((await ask(one)).code);
    expect(codes.slice(0, -1).every((code) => code === "ok")).toBe(true);
    expect(codes.at(-1)).toBe("rate_limited");
    expect((await ask(other)).code).toBe("ok");
  });

  it("must give a nonce and the times", async () => {
    const agent = await newAgent({ isListed: true });
    for (const name of ["created", "expires", "nonce"])
      expect((await ask(agent, { changes: { parameters: { [name]: undefined } } })).code).toBe(
        "signature_parameters",
      );
    expect(fetched).toEqual([]);
  });

  it("is refused when a signature comes again", async () => {
    const agent = await newAgent({ isListed: true });
    const request = await sign(agent);
    expect((await post(request)).code).toBe("ok");
    expect(await post(request)).toMatchObject({ status: 401, code: "signature_replayed" });
    expect((await attemptsOf(agent.principal)).length).toBe(1);
  });

  it("is refused long after it signed, whatever the signature says", async () => {
    const agent = await newAgent({ isListed: true });
    const created = Math.floor(Date.now() / 1000) - 310;
    const old = { changes: { parameters: { created, expires: created + 3_600 } } };
    expect((await ask(agent, old)).code).toBe("signature_stale");
    const early = { changes: { parameters: { created: created + 400, expires: created + 410 } } };
    expect((await ask(agent, early)).code).toBe("signature_early");
    expect(fetched).toEqual([]);
  });

  it("is refused when another host signs in its name", async () => {
    const [agent, thief] = [await newAgent({ isListed: true }), await newAgent()];
    publish = ({ url }) => Response.json({ ...WHOLE, keys: [url === agent.profile ? agent.jwk : thief.jwk] });
    // The thief's key, under its own name and under the agent's.
    const keyIds = [thief.jwk["kid"] ?? "", agent.jwk["kid"] ?? ""];
    const codes = [];
    for (const keyId of keyIds) codes.push((await ask(agent, { signer: thief.signer, keyId })).code);
    expect(codes).toEqual(["key_not_found", "signature_invalid"]);
  });
});

describe("an agent that the policy does not list", () => {
  it("may leave out nonce and times", async () => {
    const agent = await newAgent();
    const parameters = { created: undefined, expires: undefined, nonce: undefined };
    expect((await ask(agent, { changes: { parameters } })).code).toBe("ok");
  });

  it("has the budget of its address, under whatever host it signs, or none", async () => {
    const address = newAddress();
    let total = 0;
    let last: Awaited<ReturnType<typeof ask>> | undefined;
    for (let page = 0; page < 16 && last?.error === undefined; page++) {
      const agent = await newAgent();
      last = await ask(agent, { address, ids: skus.slice(page * 20, page * 20 + 20) });
      total += last.products?.length ?? 0;
    }
    expect([total, last?.code]).toEqual([280, "rate_limited"]);
  });

  it("makes a closed server fetch nothing", async () => {
    const agent = await newAgent();
    const { status } = await sendDeployed("/ucp/mcp", await sign(agent), DEPLOYED);
    expect([status, fetched]).toEqual([401, []]);
  });
});

describe("a signature is refused", () => {
  const wrong = Buffer.from("{}");
  it.each<[string, Asked | ((agent: Agent) => Asked), { code: string; status: number; fetched: number }]>([
    ...[...COVERED].map((name): [string, Asked, { code: string; status: number; fetched: number }] => [
      `without ${name}`,
      { changes: { components: () => COVERED.filter((each) => each !== name) } },
      { code: "signature_incomplete", status: 401, fetched: 0 },
    ]),
    [
      "that does not cover an idempotency key",
      { headers: { "idempotency-key": crypto.randomUUID() } },
      { code: "signature_incomplete", status: 401, fetched: 0 },
    ],
    [
      "that does not cover Signature-Agent",
      ({ profile }) => ({ headers: { "signature-agent": `sig1="${profile}"` } }),
      { code: "signature_incomplete", status: 401, fetched: 0 },
    ],
    [
      "that covers the Signature-Agent of another signature",
      ({ profile }) => ({
        headers: { "signature-agent": `sig1="${profile}", sig2="https://other.example"` },
        changes: { components: () => [...COVERED, component("signature-agent", { key: "sig2" })] },
      }),
      { code: "signature_incomplete", status: 401, fetched: 0 },
    ],
    [
      "of Web Bot Auth without Signature-Agent",
      { changes: { parameters: { tag: "web-bot-auth" } } },
      { code: "signature_incomplete", status: 401, fetched: 0 },
    ],
    [
      "with the digest of another body",
      { headers: { "content-digest": `sha-256=:${createHash("sha256").update(wrong).digest("base64")}:` } },
      { code: "digest_mismatch", status: 400, fetched: 0 },
    ],
    [
      "made for another server",
      { origin: "https://other.example" },
      { code: "signature_invalid", status: 401, fetched: 1 },
    ],
    [
      "with another tag",
      { changes: { parameters: { tag: "x" } } },
      { code: "signature_parameters", status: 401, fetched: 0 },
    ],
    [
      "by a key that is not published",
      { keyId: "other" },
      { code: "key_not_found", status: 401, fetched: 1 },
    ],
    [
      "that names another algorithm than its key's",
      {
        changes: { parameters: { alg: "ed25519" } },
        signer: { algorithm: "ed25519", sign: () => new Uint8Array(64) },
      },
      { code: "signature_algorithm", status: 401, fetched: 1 },
    ],
    [
      "that takes the public key for a shared secret",
      {
        changes: { parameters: { alg: "hmac-sha256" } },
        signer: { algorithm: "hmac-sha256", sign: () => new Uint8Array(32) },
      },
      { code: "signature_algorithm", status: 401, fetched: 0 },
    ],
    [
      "of another length",
      { signer: { algorithm: "ecdsa-p256-sha256", sign: () => new Uint8Array(70) } },
      { code: "signature_invalid", status: 401, fetched: 1 },
    ],
    [
      "for a call that names another profile",
      { named: "https://other.example/profile" },
      { code: "invalid_profile_url", status: 400, fetched: 1 },
    ],
    [
      "that names no profile",
      { headers: { "ucp-agent": "version=1" } },
      { code: "invalid_profile_url", status: 400, fetched: 0 },
    ],
    [
      "that names a private address",
      { headers: { "ucp-agent": 'profile="https://169.254.169.254/latest"' } },
      { code: "invalid_profile_url", status: 400, fetched: 0 },
    ],
  ])("%s", async (_, asked, expected) => {
    const agent = await newAgent();
    const { code, status, json } = await ask(agent, typeof asked === "function" ? asked(agent) : asked);
    expect({ code, status, fetched: fetched.length }).toEqual(expected);
    await expectToFit([{ schema: "transports/jsonrpc.json#/$defs/error_response", value: json }]);
  });

  it.each<[string, (jwk: Record<string, string>) => object[], string]>([
    ["a curve that is not supported", (jwk) => [{ ...jwk, crv: "P-384" }], "algorithm_unsupported"],
    ["another algorithm than its curve's", (jwk) => [{ ...jwk, alg: "EdDSA" }], "algorithm_unsupported"],
    ["a point off the curve", (jwk) => [{ ...jwk, y: jwk["x"] }], "algorithm_unsupported"],
    ["its private half", (jwk) => [{ ...jwk, d: jwk["x"] }], "key_not_found"],
    ["use for encryption", (jwk) => [{ ...jwk, use: "enc" }], "key_not_found"],
    ["no use for verifying", (jwk) => [{ ...jwk, key_ops: ["sign"] }], "key_not_found"],
    ["unknown keys beside it", (jwk) => [{ kid: "pq", kty: "AKP" }, {}, jwk], "ok"],
  ])("or not by the key's own terms: %s", async (_, keysOf, expected) => {
    const agent = await newAgent();
    publish = () => Response.json({ ...WHOLE, keys: keysOf(agent.jwk) });
    expect((await ask(agent)).code).toBe(expected);
  });

  it("when Web Bot Auth's keyid is not the key's thumbprint", async () => {
    const agent = await newAgent();
    publish = () => Response.json({ ...WHOLE, keys: [{ ...agent.jwk, kid: "main" }] });
    const bot = {
      keyId: "main",
      headers: { "signature-agent": `sig1="${agent.profile}"` },
      changes: {
        components: (): SignatureComponent[] => [...COVERED, component("signature-agent", { key: "sig1" })],
        parameters: { tag: "web-bot-auth" },
      },
    };
    expect((await ask(agent, bot)).code).toBe("signature_invalid");
    expect((await ask(agent, { keyId: "main" })).code).toBe("ok");
  });

  it("with a profile that cannot be fetched, and can be tried again later", async () => {
    const agent = await newAgent();
    publish = () => new Response("", { status: 500 });
    const { status, code, error } = await ask(agent);
    expect([status, code]).toEqual([424, "profile_unreachable"]);
    expect(error?.data).toMatchObject({ retryable: true, retry_after: expect.any(Number) });
  });
});

it("fetches the profiles of an address's signed requests within a limit", async () => {
  const address = newAddress();
  const codes = [];
  for (let hosts = 0; hosts < 22; hosts++)
    codes.push((await ask(await newAgent(), { address, keyId: "x" })).code);
  expect(new Set(codes.slice(0, 20))).toEqual(new Set(["key_not_found"]));
  expect(codes.slice(20)).toEqual(["profile_unreachable", "profile_unreachable"]);
  expect(fetched.length).toBe(20);
  const principal = `anon-${hashAddress(address, DEPLOYED["SECRET_KEY"] ?? "")}-profile`;
  expect((await attemptsOf(principal)).map(({ name }) => name)).toEqual(Array.from(fetched, () => "profile"));
});

it("looks for a key that was published after the profile was fetched, once a minute", async () => {
  const agent = await newAgent();
  const next = await newKey();
  const find = async (now: number) => {
    const wanted = { caller: "test", isListed: false, keyId: next.jwk["kid"] ?? "" };
    const found = await fetchProfile(new URL(agent.profile), now, wanted);
    return [fetched.length, found.ok ? found.value.keys.length : found.refusal.code];
  };
  expect(await find(0)).toEqual([1, 1]);
  publish = () =>
    Response.json({ ...WHOLE, keys: [agent.jwk, next.jwk] }, { headers: { "cache-control": "max-age=600" } });
  expect(await find(59_999)).toEqual([1, 1]);
  expect(await find(60_000)).toEqual([2, 2]);
  publish = () => new Response("", { status: 500 });
  expect(await find(660_000 - 1)).toEqual([2, 2]);
  expect(await find(660_000)).toEqual([3, "profile_unreachable"]);
});
