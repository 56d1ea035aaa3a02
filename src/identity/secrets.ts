import { createHash, createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";

// A key looks like pcm_<43 characters>_<6 of its hash>: the prefix lets secret scanners find a leaked
// one, the end tells a truncated or mistyped one from one that is unknown, without a look-up.
const PREFIX = "pcm";
const KEY = /^pcm_[A-Za-z0-9_-]{43}_[A-Za-z0-9_-]{6}$/;
const BITS = 256;

export interface NewSecret {
  /** Shown once, kept nowhere. */
  secret: string;
  /** What the database keeps. */
  hash: string;
}

/** SHA-256 is enough for 256 random bits: there is no dictionary to try. */
export const hashSecret = (secret: string): string => hash("sha256", secret, "base64url");

/** Whether two secrets are one, in a time that does not tell where they differ, nor how long they are. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

export function newAccessKey(): NewSecret {
  const body = `${PREFIX}_${randomBytes(BITS / 8).toString("base64url")}`;
  const secret = `${body}_${checkOf(body)}`;
  return { secret, hash: hashSecret(secret) };
}

export function newSessionToken(): NewSecret {
  const secret = randomBytes(BITS / 8).toString("base64url");
  return { secret, hash: hashSecret(secret) };
}

/** Whether a bearer token means to be an access key; OAuth tokens hold colons. */
export const looksLikeKey = (token: string): boolean =>
  token.startsWith(`${PREFIX}_`) && !token.includes(":");

/** Whether it is one, whole and unchanged; not whether anyone holds it. */
export function isWholeKey(token: string): boolean {
  return KEY.test(token) && token.endsWith(`_${checkOf(token.slice(0, -7))}`);
}

const checkOf = (body: string): string => hashSecret(body).slice(0, 6);

/**
 * Stands for a network address where it must be told from others and not be known: an IPv6 address
 * by its /64, which one subscriber holds whole (RFC 6177), an IPv4 address however it is written.
 */
export const hashAddress = (address: string, key: string): string =>
  hashPlace(`address ${subnetOf(address, 4)}`, key);

/** Likewise for the network around an address: an IPv6 /48, which one site holds whole, or an IPv4 /24. */
export const hashNetwork = (address: string, key: string): string =>
  hashPlace(`network ${subnetOf(address, 3)}`, key);

const hashPlace = (place: string, key: string): string =>
  createHmac("sha256", key).update(place).digest("base64url").slice(0, 22);

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** The first `parts` groups of an IPv6 address, or bytes of an IPv4 address; any other text whole. */
function subnetOf(address: string, parts: number): string {
  if (!address.includes(":")) return firstBytes(address, parts);
  // URL writes every spelling of an IPv6 address alike, and an embedded IPv4 address in hexadecimal.
  const plain = URL.canParse(`http://[${address}]`)
    ? new URL(`http://[${address}]`).hostname.slice(1, -1)
    : address;
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(plain);
  if (mapped !== null) {
    const [, high = "0", low = "0"] = mapped;
    const bytes = [high, low].flatMap((half) => [parseInt(half, 16) >> 8, parseInt(half, 16) & 255]);
    return firstBytes(bytes.join("."), parts);
  }
  const [head = "", tail = ""] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].slice(0, parts).join(":");
}

const firstBytes = (address: string, parts: number): string =>
  IPV4.test(address) ? address.split(".").slice(0, parts).join(".") : address;
