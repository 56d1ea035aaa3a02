import { createHmac, hash, randomBytes } from "node:crypto";

// A key looks like pcm_<43 characters>_<6 of its hash>. Secret scanners find leaked keys by the prefix. The ending
// tells a truncated or mistyped key from an unknown one without a lookup.
const PREFIX = "pcm";
const KEY = /^pcm_[A-Za-z0-9_-]{43}_[A-Za-z0-9_-]{6}$/;
const BITS = 256;

export interface NewSecret {
  /** Shown once and never stored. */
  secret: string;
  /** The value that the database stores. */
  hash: string;
}

/** SHA-256 is enough for 256 random bits, because there is no dictionary to try. */
export const hashSecret = (secret: string): string => hash("sha256", secret, "base64url");

export function newAccessKey(): NewSecret {
  const body = `${PREFIX}_${randomBytes(BITS / 8).toString("base64url")}`;
  const secret = `${body}_${checkOf(body)}`;
  return { secret, hash: hashSecret(secret) };
}

export function newSessionToken(): NewSecret {
  const secret = randomBytes(BITS / 8).toString("base64url");
  return { secret, hash: hashSecret(secret) };
}

/** Returns whether a bearer token is meant as an access key; OAuth tokens contain colons. */
export const looksLikeKey = (token: string): boolean =>
  token.startsWith(`${PREFIX}_`) && !token.includes(":");

/** Returns whether the key is complete and unchanged, not whether anybody holds it. */
export function isWholeKey(token: string): boolean {
  return KEY.test(token) && token.endsWith(`_${checkOf(token.slice(0, -7))}`);
}

const checkOf = (body: string): string => hashSecret(body).slice(0, 6);

/**
 * Hashes a network address, so that addresses can be told apart without being known. An IPv6 address counts by its /64,
 * which one subscriber holds (RFC 6177); an IPv4 address counts the same in every notation.
 */
export const hashAddress = (address: string, key: string): string =>
  hashPlace(`address ${subnetOf(address, 4)}`, key);

/** Hashes the network around an address: an IPv6 /48, which one site holds, or an IPv4 /24. */
export const hashNetwork = (address: string, key: string): string =>
  hashPlace(`network ${subnetOf(address, 3)}`, key);

const hashPlace = (place: string, key: string): string =>
  createHmac("sha256", key).update(place).digest("base64url").slice(0, 22);

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Returns the first `length` groups of an IPv6 address, or bytes of an IPv4 address; any other text unchanged. */
function subnetOf(address: string, length: number): string {
  if (!address.includes(":")) return firstBytes(address, length);
  // URL normalizes every spelling of an IPv6 address, and an embedded IPv4 address to hexadecimal.
  const plain = URL.canParse(`http://[${address}]`)
    ? new URL(`http://[${address}]`).hostname.slice(1, -1)
    : address;
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(plain);
  if (mapped !== null) {
    const [, high = "0", low = "0"] = mapped;
    const bytes = [high, low].flatMap((half) => [parseInt(half, 16) >> 8, parseInt(half, 16) & 255]);
    return firstBytes(bytes.join("."), length);
  }
  const [head = "", tail = ""] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].slice(0, length).join(":");
}

const firstBytes = (address: string, length: number): string =>
  IPV4.test(address) ? address.split(".").slice(0, length).join(".") : address;
