import { verifySignature } from "http-message-sig";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { refusals } from "../../../src/refusal-codes.ts";
import { type SignedRequest, checkSignature, isSigned, verifierOf } from "../../../src/identity/signature.ts";
import { contentDigest } from "../../../src/identity/signature-profile.ts";
import type { SigningKey } from "../../../src/identity/signing-keys.ts";
import {
  type KeyPair,
  type SignChanges,
  ed25519Pair,
  hmacPair,
  hmacSigner,
  newNonce,
  signed,
} from "./support/signing.ts";

const NOW = 1_790_000_000_000;
const USER = "price-bot";
const bytes = (text: string) => new TextEncoder().encode(text);
const valid: SignedRequest = {
  method: "POST",
  targetUri: "https://catalog.example.com/mcp?v=1",
  headers: new Headers({
    "content-type": "application/json",
    authorization: "Bearer pcm_x",
    "mcp-method": "tools/call",
    "mcp-name": "query_stock",
  }),
  body: bytes('{"jsonrpc":"2.0"}'),
};

let hmac: KeyPair;
let ed25519: KeyPair;
beforeAll(async () => {
  hmac = hmacPair();
  ed25519 = await ed25519Pair();
});

const sign = (changes: SignChanges = {}, request = valid, pair = hmac) =>
  signed(request, { signer: pair.signer, keyId: pair.key.id, now: NOW }, changes);

function check(
  request: SignedRequest,
  {
    now = NOW,
    userId = USER,
    keys = [hmac.key, ed25519.key],
  }: Partial<{ now: number; userId: string; keys: SigningKey[] }> = {},
) {
  return checkSignature(request, { userId, now, findKey: async (id) => keys.find((key) => key.id === id) });
}

/** Returns the code of the refusal, or `valid`. */
async function codeOf(...args: Parameters<typeof check>): Promise<string> {
  const result = await check(...args);
  return result.ok ? "valid" : result.refusal.code;
}

const withHeaders = (request: SignedRequest, change: Record<string, string | null>): SignedRequest => {
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return { ...request, headers };
};

describe("a signature", () => {
  it("is present if one of its fields is present", async () => {
    expect(isSigned(valid.headers)).toBe(false);
    expect(isSigned((await sign()).headers)).toBe(true);
    expect(isSigned(new Headers({ signature: "" }))).toBe(true);
    expect(isSigned(new Headers({ "signature-input": "" }))).toBe(true);
  });

  it.each(["hmac", "ed25519"] as const)("of a key of the kind %s is valid", async (kind) => {
    const pair = kind === "hmac" ? hmac : ed25519;
    const nonce = newNonce();
    expect(await check(await sign({ parameters: { nonce } }, valid, pair))).toEqual({
      ok: true,
      value: { key: pair.key, nonce, expiresAt: NOW + 65_000 },
    });
  });

  it("may cover more, name its key's algorithm, and have another label", async () => {
    const request = withHeaders(valid, { accept: "application/json" });
    const changes = {
      components: (needed: string[]) => ["accept", "@authority", ...needed.toReversed()],
      parameters: { alg: "hmac-sha256", app: "x" },
      label: "mine",
    };
    expect(await codeOf(await sign(changes, request))).toBe("valid");
  });

  it("may leave out a header that it cannot cover", async () => {
    expect(await codeOf(withHeaders(await sign(), { "x-note": "\x7f" }))).toBe("valid");
  });

  it("need not cover mcp-method and mcp-name if they are not sent", async () => {
    const older = withHeaders(valid, { "mcp-method": null, "mcp-name": null });
    expect(await codeOf(await sign({}, older))).toBe("valid");
  });

  it("accepts digests of other algorithms beside the SHA-256", async () => {
    const digest = `sha-512=:AAAA:, ${contentDigest(valid.body)}`;
    expect(await codeOf(await sign({}, withHeaders(valid, { "content-digest": digest })))).toBe("valid");
  });
});

describe("a value altered after signing is refused:", () => {
  it.each<[string, (request: SignedRequest) => SignedRequest, string]>([
    ["the body", (request) => ({ ...request, body: bytes("{}") }), "signature_digest_mismatch"],
    [
      "the body and its digest",
      (request) =>
        withHeaders({ ...request, body: bytes("{}") }, { "content-digest": contentDigest(bytes("{}")) }),
      "signature_invalid",
    ],
    ["the method", (request) => ({ ...request, method: "PUT" }), "signature_invalid"],
    [
      "the host",
      (request) => ({ ...request, targetUri: "https://other.example/mcp?v=1" }),
      "signature_invalid",
    ],
    [
      "the scheme",
      (request) => ({ ...request, targetUri: request.targetUri.replace("https", "http") }),
      "signature_invalid",
    ],
    [
      "the path",
      (request) => ({ ...request, targetUri: "https://catalog.example.com/mcp/public?v=1" }),
      "signature_invalid",
    ],
    [
      "the query",
      (request) => ({ ...request, targetUri: "https://catalog.example.com/mcp?v=2" }),
      "signature_invalid",
    ],
    ["the token", (request) => withHeaders(request, { authorization: "Bearer pcm_y" }), "signature_invalid"],
    [
      "the content type",
      (request) => withHeaders(request, { "content-type": "text/plain" }),
      "signature_invalid",
    ],
    ["mcp-name", (request) => withHeaders(request, { "mcp-name": "get_product" }), "signature_invalid"],
    [
      "mcp-method, taken away",
      (request) => withHeaders(request, { "mcp-method": null }),
      "signature_incomplete",
    ],
    [
      "the token, taken away",
      (request) => withHeaders(request, { authorization: null }),
      "signature_incomplete",
    ],
    [
      "the digest, taken away",
      (request) => withHeaders(request, { "content-digest": null }),
      "signature_incomplete",
    ],
  ])("%s", async (_, alter, code) => {
    expect(await codeOf(alter(await sign()))).toBe(code);
    expect(await codeOf(alter(await sign({}, valid, ed25519)))).toBe(code);
  });

  it.each(["mcp-method", "mcp-name"])("%s, added", async (name) => {
    const older = withHeaders(valid, { "mcp-method": null, "mcp-name": null });
    expect(await codeOf(withHeaders(await sign({}, older), { [name]: "x" }))).toBe("signature_incomplete");
  });

  it("any parameter", async () => {
    const request = await sign();
    const input = request.headers.get("signature-input") ?? "";
    const longer = input.replace(/expires=\d+/, `expires=${NOW / 1000 + 59}`);
    expect(longer).not.toBe(input);
    expect(await codeOf(withHeaders(request, { "signature-input": longer }))).toBe("signature_invalid");
  });
});

describe("a missing component is refused:", () => {
  it.each([
    "@method",
    "@target-uri",
    "content-digest",
    "content-type",
    "authorization",
    "mcp-method",
    "mcp-name",
  ])("%s", async (left) => {
    const request = await sign({ components: (needed) => needed.filter((name) => name !== left) });
    expect(await codeOf(request)).toBe("signature_incomplete");
  });

  it("covering a part of a field does not cover the field", async () => {
    const request = await sign();
    const input = request.headers.get("signature-input") ?? "";
    const part = input.replace('"content-digest"', '"content-digest";key="sha-256"');
    expect(part).not.toBe(input);
    expect(await codeOf(withHeaders(request, { "signature-input": part }))).toBe("signature_incomplete");
  });
});

describe("a missing or wrong body digest is refused:", () => {
  it.each([
    "",
    "sha-512=:AAAA:",
    "sha-256=:AAAA:",
    contentDigest(bytes("other")),
    `${contentDigest(valid.body)}, ${contentDigest(bytes("other"))}`,
    `${contentDigest(bytes("other"))}, ${contentDigest(valid.body)}`,
  ])("'%s'", async (digest) => {
    const request = await sign({}, withHeaders(valid, { "content-digest": digest }));
    expect(await codeOf(request)).toBe("signature_digest_mismatch");
  });
});

describe("parameters", () => {
  const second = NOW / 1000;
  it.each<[string, SignChanges["parameters"]]>([
    ["no created", { created: undefined }],
    ["no expires", { expires: undefined }],
    ["no nonce", { nonce: undefined }],
    ["no keyid", { keyid: undefined }],
    ["no tag", { tag: undefined }],
    ["another tag", { tag: "web-bot-auth" }],
    ["a life of 61 seconds", { expires: second + 61 }],
    ["expires before created", { created: second, expires: second - 1 }],
    ["a nonce of 126 bits", { nonce: "a".repeat(21) }],
    ["a nonce that is too long", { nonce: "a".repeat(87) }],
    ["a nonce of other characters", { nonce: "!".repeat(22) }],
    ["a keyid that is too long", { keyid: "k".repeat(101) }],
    ["a negative time", { created: -1 }],
  ])("with %s are refused", async (_, parameters) => {
    expect(await codeOf(await sign({ parameters }))).toBe("signature_parameters");
  });

  it.each([
    ["made 6 s ahead", { created: second + 6, expires: second + 60 }, "signature_early"],
    ["made 5 s ahead", { created: second + 5, expires: second + 60 }, "valid"],
    ["ended 5 s ago", { created: second - 60, expires: second - 5 }, "valid"],
    ["ended 6 s ago", { created: second - 60, expires: second - 6 }, "signature_stale"],
    ["from another year", { created: second - 4e7, expires: second - 4e7 + 60 }, "signature_stale"],
    [
      "with times as large as the format has",
      { created: 999_999_999_999_999, expires: 999_999_999_999_999 },
      "signature_early",
    ],
    ["with a lifetime of zero", { created: second, expires: second }, "valid"],
  ])("of a signature %s: %s", async (_, parameters, code) => {
    expect(await codeOf(await sign({ parameters }))).toBe(code);
  });

  it("are valid from 5 s before created to 5 s after expires, to the millisecond", async () => {
    const request = await sign();
    const at = (now: number) => codeOf(request, { now });
    expect([await at(NOW - 5_001), await at(NOW - 5_000)]).toEqual(["signature_early", "valid"]);
    expect([await at(NOW + 65_000), await at(NOW + 65_001)]).toEqual(["valid", "signature_stale"]);
  });
});

describe("the key", () => {
  it.each<[string, (key: SigningKey) => SigningKey[], string]>([
    ["unknown", () => [], "signature_key"],
    ["revoked", (key) => [{ ...key, revokedAt: NOW - 1 }], "signature_key"],
    ["expired", (key) => [{ ...key, expiresAt: NOW }], "signature_key"],
    ["that expires in a moment", (key) => [{ ...key, expiresAt: NOW + 1 }], "valid"],
    ["of another user", (key) => [{ ...key, userId: "another" }], "signature_caller"],
    ["of other bytes", (key) => [{ ...key, bytes: new Uint8Array(32) }], "signature_invalid"],
  ])("%s: %3$s", async (_, change, code) => {
    for (const pair of [hmac, ed25519]) {
      expect(await codeOf(await sign({}, valid, pair), { keys: change(pair.key) })).toBe(code);
    }
  });

  it("is not looked up if the rest is already invalid", async () => {
    const findKey = () => Promise.reject(new Error("looked up"));
    const request = await sign({ parameters: { tag: "x" } });
    expect(await checkSignature(request, { userId: USER, now: NOW, findKey })).toMatchObject({
      ok: false,
    });
  });

  it("that cannot be looked up is an unexpected error and not a refusal", async () => {
    const findKey = () => Promise.reject(new Error("D1 is away"));
    await expect(checkSignature(await sign(), { userId: USER, now: NOW, findKey })).rejects.toThrow(
      "D1 is away",
    );
  });

  it("with the token of another user is refused", async () => {
    expect(await codeOf(await sign(), { userId: "somebody-else" })).toBe("signature_caller");
  });
});

describe("the algorithm comes from the key:", () => {
  it.each(["ed25519", "rsa-pss-sha512", "hmac-sha512", "none", ""])(
    "a message that names '%s' for an HMAC key is refused",
    async (alg) => {
      const { key, signer } = hmac;
      // The library only signs under the signer's own algorithm name.
      const lying = { ...signer, algorithm: alg };
      const request = await signed(
        valid,
        { signer: lying, keyId: key.id, now: NOW },
        { parameters: { alg } },
      );
      expect(await codeOf(request)).toBe("signature_algorithm");
    },
  );

  it("an Ed25519 public key is never used as an HMAC secret, whatever the message says", async () => {
    for (const alg of [undefined, "hmac-sha256"]) {
      const signer = hmacSigner(ed25519.key.bytes);
      const request = await signed(
        valid,
        { signer, keyId: ed25519.key.id, now: NOW },
        { parameters: { alg } },
      );
      expect(await codeOf(request)).toBe(alg === undefined ? "signature_invalid" : "signature_algorithm");
    }
  });
});

describe("malformed fields are refused:", () => {
  it.each<[string, (request: SignedRequest) => Record<string, string | null>]>([
    ["no Signature", () => ({ signature: null })],
    ["no Signature-Input", () => ({ "signature-input": null })],
    ["both empty", () => ({ signature: "", "signature-input": "" })],
    ["another label", () => ({ signature: "sig2=:AAAA:" })],
    ["a string instead of a signature", () => ({ signature: 'sig1="AAAA"' })],
    ["no list of components", () => ({ "signature-input": "sig1=1" })],
    ["a type that only RFC 9651 has", () => ({ "signature-input": "sig1=();created=@1" })],
    ["a duplicate component", () => ({ "signature-input": 'sig1=("@method" "@method")' })],
    ["a component of the response", () => ({ "signature-input": 'sig1=("@status")' })],
    ["a component of a related request", () => ({ "signature-input": 'sig1=("@method";req)' })],
    ["an unknown component", () => ({ "signature-input": 'sig1=("@new")' })],
    [
      "a parameter twice",
      ({ headers }) => ({ "signature-input": `${headers.get("signature-input")};created=1` }),
    ],
    ["a nonce of the wrong type", () => ({ "signature-input": "sig1=();nonce=1" })],
    ["too long", () => ({ "signature-input": `sig1=("@method" "${"x".repeat(5_000)}")` })],
  ])("%s", async (_, change) => {
    const request = await sign();
    expect(await codeOf(withHeaders(request, change(request)))).toBe("signature_malformed");
  });

  it("two signatures, even if both are valid", async () => {
    const [one, two] = [await sign(), await sign({ label: "sig2" })];
    const both = (name: string) => `${one.headers.get(name)}, ${two.headers.get(name)}`;
    const request = withHeaders(one, {
      signature: both("signature"),
      "signature-input": both("signature-input"),
    });
    expect(await codeOf(request)).toBe("signature_malformed");
  });

  it.each([0, 16, 32, 63, 65])("a signature of %i bytes, which is the wrong length", async (length) => {
    for (const pair of [hmac, ed25519]) {
      const request = await sign({}, valid, pair);
      const whole = Buffer.from((request.headers.get("signature") ?? "").slice(6, -1), "base64");
      if (whole.length === length) continue;
      const signature = `sig1=:${Buffer.concat([whole, whole]).subarray(0, length).toString("base64")}:`;
      expect(await codeOf(withHeaders(request, { signature }))).toBe("signature_invalid");
    }
  });

  const codes = Object.keys(refusals);
  const field = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'sig1=("@method" :;,A?0"\\)*%-.'.split("")) }),
    fc.string().map((text) => text.replace(/[^\x20-\x7e]/g, "")),
    fc.constantFrom("sig1=:AAAA:", 'sig1=("@method");created=1', 'sig1=("@target-uri";key="a")'),
  );
  it("any input: never throws, never accepts", async () => {
    await fc.assert(
      fc.asyncProperty(field, field, async (signature, input) => {
        const code = await codeOf(withHeaders(valid, { signature, "signature-input": input }));
        expect(codes).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  it("any change of one character of a valid one: never throws, never accepts", async () => {
    const request = await sign();
    const changed = fc.record({
      name: fc.constantFrom("signature", "signature-input"),
      at: fc.nat(400),
      to: fc.constantFrom(...'aZ09"=:;,() \\@'.split("")),
    });
    await fc.assert(
      fc.asyncProperty(changed, async ({ name, at, to }) => {
        const text = request.headers.get(name) ?? "";
        const index = at % text.length;
        const altered = `${text.slice(0, index)}${to}${text.slice(index + 1)}`.trim();
        fc.pre(!samePadding(text, altered));
        expect(codes).toContain(await codeOf(withHeaders(request, { [name]: altered })));
      }),
      { numRuns: 500 },
    );
  });

  /** Base64 can spell the same bytes in several ways, and trailing space does not change a field. */
  function samePadding(one: string, other: string): boolean {
    if (one === other) return true;
    const bytesOf = (text: string) => /^sig1=:(.*):$/.exec(text)?.[1];
    const [first, second] = [bytesOf(one), bytesOf(other)];
    return (
      first !== undefined &&
      second !== undefined &&
      Buffer.from(first, "base64").equals(Buffer.from(second, "base64"))
    );
  }
});

// RFC 9421, appendix B.2: its test request, with the keys of B.1.4 and B.1.5.
describe("the vectors of RFC 9421", () => {
  const request = {
    kind: "request" as const,
    method: "POST",
    targetUri: "https://example.com/foo?param=Value&Pet=dog",
    fields: [
      { name: "Host", value: "example.com" },
      { name: "Date", value: "Tue, 20 Apr 2021 02:07:55 GMT" },
      { name: "Content-Type", value: "application/json" },
      { name: "Content-Length", value: "18" },
    ],
  };
  const vectors = [
    {
      section: "B.2.5",
      algorithm: "hmac-sha256" as const,
      bytes: Buffer.from(
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
        "base64",
      ),
      input: 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
      signature: "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    },
    {
      section: "B.2.6",
      algorithm: "ed25519" as const,
      bytes: Buffer.from("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs", "base64url"),
      input:
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
      signature:
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    },
  ];

  it.each(vectors)(
    "$section passes our verifier, and fails it altered",
    async ({ algorithm, input, signature, ...vector }) => {
      const verify = (fields: typeof request.fields) =>
        verifySignature(
          {
            ...request,
            fields: [
              ...fields,
              { name: "Signature-Input", value: input },
              { name: "Signature", value: signature },
            ],
          },
          {
            policy: { algorithms: [algorithm], requiredComponents: [], requiredParameters: [] },
            resolveVerifier: () => verifierOf({ algorithm, bytes: Uint8Array.from(vector.bytes) }),
          },
        );
      expect(await verify(request.fields)).toMatchObject({ algorithm });
      const altered = request.fields.map((field) =>
        field.name === "Date" ? { ...field, value: "Tue, 20 Apr 2021 02:07:56 GMT" } : field,
      );
      await expect(verify(altered)).rejects.toMatchObject({ code: "VerificationFailed" });
    },
  );
});
