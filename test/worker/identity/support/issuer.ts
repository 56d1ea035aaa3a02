import { randomUUID } from "node:crypto";
import { vi } from "vitest";
import * as z from "zod";
import { type Browser, field } from "./browser.ts";
import { DEPLOYED, ORIGIN, type Settings } from "./deployed.ts";

// An OpenID Connect provider in small steps, each of which a test can break. A real provider is tested in
// test/slow/sign-on.browser.test.ts. The Worker reaches this one by fetch.

const CLIENT_ID = "product-catalog";
const CLIENT_SECRET = "PLANTED-client-secret";

const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const newKeys = () =>
  crypto.subtle.generateKey(
    { ...ALGORITHM, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ["sign", "verify"],
  );

// Made once, because it takes a tenth of a second.
const published = newKeys();
const others = newKeys();

export type Claims = Record<string, unknown>;

/** A test's changes to the issuer's behaviour. */
interface Behaviour {
  /** Returns an answer that replaces the normal one. */
  fail?: (path: string) => Response | undefined;
  /** Changes to the id token's claims; undefined leaves a claim out. */
  claims?: Claims;
  header?: Claims;
  /** Signs with a key that the issuer doesn't publish. */
  forged?: boolean;
  metadata?: Claims;
  userinfo?: Claims;
}

interface Code {
  claims: Claims;
  challenge: string;
  redirectUri: string;
}

let issuers = 0;

export class Issuer {
  behaviour: Behaviour = {};
  /** Unique for each issuer, because isolates cache the documents of known ones. */
  readonly url: string;
  /** Settings of a server whose users sign in here. */
  readonly settings: Settings;
  /** Paths that were requested. */
  readonly asked: string[] = [];
  readonly #codes = new Map<string, Code>();

  constructor(url = `https://id-${(issuers += 1)}.example`) {
    this.url = url;
    this.settings = {
      ...DEPLOYED,
      OIDC_ISSUER: url,
      OIDC_CLIENT_ID: CLIENT_ID,
      OIDC_CLIENT_SECRET: CLIENT_SECRET,
    };
  }

  get host(): string {
    return new URL(this.url).host;
  }

  /** Answers the Worker's requests until `vi.restoreAllMocks`. */
  listen(elsewhere = globalThis.fetch): void {
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
      const request = new Request(input, init);
      return request.url.startsWith(this.url) ? this.#answer(request) : elsewhere(input, init);
    });
  }

  /** Signs a person in at the URL they were sent to. Returns the URL they are sent back to. */
  signIn(url: URL, person: Claims): URL {
    const parameter = (name: string) => url.searchParams.get(name) ?? "";
    const code = randomUUID();
    const claims = { nonce: parameter("nonce"), ...person };
    this.#codes.set(code, {
      claims,
      challenge: parameter("code_challenge"),
      redirectUri: parameter("redirect_uri"),
    });
    return this.#back(url, { code });
  }

  /** Sends the person back with an error instead. */
  refuse(url: URL, error: string): URL {
    return this.#back(url, { error });
  }

  /** Issues an assertion about a person for a client of the catalog server (an ID-JAG), as the test changes it. */
  assertion(person: Claims, header: Claims = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: ORIGIN, jti: randomUUID(), iat: now, exp: now + 300, ...person };
    return this.#sign(claims, { typ: "oauth-id-jag+jwt", ...header });
  }

  #back(url: URL, answer: Record<string, string>): URL {
    const back = new URL(url.searchParams.get("redirect_uri") ?? "");
    const state = url.searchParams.get("state") ?? "";
    back.search = new URLSearchParams({ ...answer, state, iss: this.url }).toString();
    return back;
  }

  async #answer(request: Request): Promise<Response> {
    const pathname = new URL(request.url).pathname.slice(
      new URL(this.url).pathname.replace(/\/$/, "").length,
    );
    this.asked.push(pathname);
    const failure = this.behaviour.fail?.(pathname);
    if (failure !== undefined) return failure;
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return Response.json(this.#metadata());
      case "/jwks":
        return Response.json({ keys: [await this.#publicKey()] });
      case "/token":
        return this.#redeem(request);
      case "/userinfo":
        return Response.json({ sub: "sub-1", ...this.behaviour.userinfo });
      default:
        return new Response(null, { status: 404 });
    }
  }

  #metadata(): Claims {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      token_endpoint_auth_methods_supported: ["client_secret_post"],
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
      ...this.behaviour.metadata,
    };
  }

  async #publicKey() {
    const { publicKey } = keyPair(await published);
    const key = await crypto.subtle.exportKey("jwk", publicKey);
    return Object.assign(key, { kid: "k1", alg: "RS256", use: "sig" });
  }

  async #redeem(request: Request): Promise<Response> {
    const form = await request.formData();
    const text = (name: string) => z.string().catch("").parse(form.get(name));
    const found = this.#codes.get(text("code"));
    // A code works once (RFC 6749, section 4.1.2).
    this.#codes.delete(text("code"));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text("code_verifier")));
    const isOurs = text("client_id") === CLIENT_ID && text("client_secret") === CLIENT_SECRET;
    if (!isOurs) return Response.json({ error: "invalid_client" }, { status: 401 });
    if (
      found?.challenge !== base64url(new Uint8Array(digest)) ||
      found.redirectUri !== text("redirect_uri")
    ) {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    const now = Math.floor(Date.now() / 1000);
    const id_token = await this.#sign({
      iss: this.url,
      aud: CLIENT_ID,
      sub: "sub-1",
      iat: now,
      exp: now + 300,
      ...found.claims,
      ...this.behaviour.claims,
    });
    return Response.json({ access_token: "at", token_type: "Bearer", expires_in: 300, id_token });
  }

  async #sign(claims: Claims, header: Claims = {}): Promise<string> {
    const { privateKey } = keyPair(await (this.behaviour.forged === true ? others : published));
    const encode = (part: unknown) => base64url(new TextEncoder().encode(JSON.stringify(part)));
    const text = `${encode({ alg: "RS256", kid: "k1", ...header, ...this.behaviour.header })}.${encode(claims)}`;
    const signature = await crypto.subtle.sign(ALGORITHM, privateKey, new TextEncoder().encode(text));
    return `${text}.${base64url(new Uint8Array(signature))}`;
  }
}

function keyPair(key: CryptoKey | CryptoKeyPair): CryptoKeyPair {
  if ("privateKey" in key) return key;
  throw new Error("Not a pair");
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** Returns the URL that a page redirects the browser to. */
export function goesOnTo(html: string): URL {
  const [, url = "missing:"] = /<meta http-equiv="refresh" content="0; url=([^"]*)"/.exec(html) ?? [];
  return new URL(url.replaceAll("&amp;", "&"));
}

/** Presses the provider's button on the sign-in page. */
export async function press(browser: Browser, next = "/account"): Promise<Response> {
  const page = await (await browser.request(`/sign-in?next=${encodeURIComponent(next)}`)).text();
  return browser.post("/sign-on/start", { next: field(page, "next") });
}

/** Signs on from the button to the final page. */
export async function signOn(
  browser: Browser,
  issuer: Issuer,
  person: Claims,
  next?: string,
): Promise<Response> {
  const url = goesOnTo(await (await press(browser, next)).text());
  return browser.request(issuer.signIn(url, person).href);
}
