import { createHash } from "node:crypto";
import { publicUrl } from "../validation/public-url.ts";
import { feedUrl } from "./feed-url.ts";
import { StorageFailed } from "./stored-bytes.ts";

const TIMEOUT_MS = 5 * 60_000;
const REDIRECTS_MAX = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** A delivery failed for a reason that its message tells, without the feed's URL. */
export class DeliveryError extends Error {
  override name = "DeliveryError";
}

/** The answer's headers by which the same contents are recognised. */
export interface Validators {
  etag: string | null;
  modified: string | null;
}

export type Fetched =
  | { status: "unchanged" }
  | { status: "stored"; bytes: number; digest: string; validators: Validators };

export interface Storing {
  write: (bytes: Uint8Array) => Promise<void>;
  end: () => Promise<void>;
  /** Most bytes. */
  max: number;
  /** Milliseconds that all of it may take. */
  timeout?: number;
  onProgress: (bytes: number, all: number | null) => void;
}

/**
 * Fetches a feed and stores its bytes, unless it has not changed. Redirects are followed by hand, because each must be public
 * too; credentials go to the feed's own origin only. Throws a DeliveryError, or StorageFailed.
 */
export async function fetchFeed(text: string, known: Validators | null, storing: Storing): Promise<Fetched> {
  const late = new AbortController();
  // AbortSignal.timeout would keep the object in memory for the whole time after an answer.
  const { timeout = TIMEOUT_MS } = storing;
  const timer = setTimeout(() => late.abort(), timeout);
  try {
    const response = await follow(text, known, late.signal);
    if (response.status === 304) {
      await response.body?.cancel();
      return { status: "unchanged" };
    }
    return await store(response, storing);
  } catch (error) {
    if (error instanceof DeliveryError || error instanceof StorageFailed) throw error;
    const why = late.signal.aborted
      ? `It took longer than ${timeout / 60_000} minutes.`
      : "The connection failed, or ended early.";
    throw new DeliveryError(`The feed could not be fetched. ${why}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function follow(text: string, known: Validators | null, signal: AbortSignal): Promise<Response> {
  const first = feedUrl(text);
  let url = first?.url;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    if (first === undefined || url === undefined)
      throw new DeliveryError("The feed leads to an address that is not https on a public name.");
    const headers = new Headers({ accept: "*/*", "user-agent": "product-catalog-mcp" });
    if (first.authorization !== undefined && url.origin === first.url.origin)
      headers.set("authorization", first.authorization);
    if (known?.etag != null) headers.set("if-none-match", known.etag);
    if (known?.modified != null) headers.set("if-modified-since", known.modified);
    const response = await fetch(url, { redirect: "manual", headers, signal });
    const { status } = response;
    if (status === 200 || (status === 304 && known !== null)) return response;
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (!REDIRECTS.has(status) || location === null)
      throw new DeliveryError(`The feed's server answered HTTP ${status}.`);
    const next = URL.parse(location, url.href);
    url = next === null ? undefined : publicUrl(next.href);
  }
  throw new DeliveryError(`The feed redirects more than ${REDIRECTS_MAX} times.`);
}

async function store(
  { body, headers }: Response,
  { write, end, max, onProgress }: Storing,
): Promise<Fetched> {
  const hash = createHash("sha256");
  const length = Number(headers.get("content-length") ?? Number.NaN);
  const isEncoded = (headers.get("content-encoding") ?? "identity") !== "identity";
  const all = Number.isInteger(length) && !isEncoded ? length : null;
  const tooLarge = new DeliveryError(`The feed has more than ${max / 1024 / 1024} MiB.`);
  if (all !== null && all > max) {
    await body?.cancel();
    throw tooLarge;
  }
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > max) throw tooLarge;
    hash.update(chunk);
    await write(chunk);
    onProgress(bytes, all);
  }
  if (all !== null && bytes < all) throw new DeliveryError("The feed's server sent only a part of the feed.");
  if (bytes === 0) throw new DeliveryError("The feed is empty.");
  await end();
  return {
    status: "stored",
    bytes,
    digest: hash.digest("hex"),
    validators: { etag: headers.get("etag"), modified: headers.get("last-modified") },
  };
}
