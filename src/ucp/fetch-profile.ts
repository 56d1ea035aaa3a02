import * as z from "zod";
import { IsolateBudget } from "../guard/isolate-budget.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";

// Fetches the profiles of agents, at addresses that anybody may choose. A Worker cannot see the address that a name resolves
// to, and Cloudflare routes no fetch to a private one; names and literals that are private by themselves are refused here.

const profileSchema = z.looseObject({
  ucp: z.looseObject({
    version: z.string(),
    capabilities: z.record(z.string(), z.array(z.looseObject({ version: z.string() }))).default({}),
  }),
});
export type AgentProfile = z.output<typeof profileSchema>;

const TIMEOUT_MS = 3_000;
/** The protocol asks for 128 KiB or more. */
const BYTES_MAX = 128 * 1024;
/** Milliseconds that a profile is kept: what its server says, within these bounds. A failure is kept as long as the least. */
const KEPT_MS = { least: 60_000, most: 24 * 60 * 60 * 1000 };
/** Profiles that one isolate keeps, and fetches in a minute for all agents together. */
const PROFILES_MAX = 500;
const FETCHES = { max: 120, window_s: 60 };

const kept = new Map<string, { until: number; result: Outcome<AgentProfile> }>();
const fetches = new IsolateBudget();

/** Returns the profile at a URL, from the cache or the network. `now` is in milliseconds since the epoch. */
export async function fetchProfile(url: URL, now: number): Promise<Outcome<AgentProfile>> {
  const known = kept.get(url.href);
  if (known !== undefined && known.until > now)
    return known.result.ok
      ? known.result
      : refuse(known.result.refusal.code, known.result.refusal.message, { retryAfterMs: known.until - now });
  const wait = fetches.take("all agents", FETCHES, now);
  if (wait > 0)
    return refuse("profile_unreachable", "Too many profiles were fetched.", { retryAfterMs: wait });
  const { result, keepMs } = await read(url);
  kept.delete(url.href);
  const [oldest] = kept.keys();
  if (kept.size >= PROFILES_MAX && oldest !== undefined) kept.delete(oldest);
  kept.set(url.href, { until: now + keepMs, result });
  return result;
}

async function read(url: URL): Promise<{ result: Outcome<AgentProfile>; keepMs: number }> {
  const failed = (result: Outcome<AgentProfile>) => ({ result, keepMs: KEPT_MS.least });
  try {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return failed(unreachable(`Its server answered HTTP ${response.status}.`));
    }
    const text = await readText(response);
    const parsed = profileSchema.safeParse(text === undefined ? undefined : parseJson(text));
    if (!parsed.success)
      return failed(refuse("profile_malformed", "The agent's profile is not a UCP profile."));
    return { result: ok(parsed.data), keepMs: lifetimeOf(response.headers.get("cache-control")) };
  } catch {
    return failed(unreachable("Its server did not answer."));
  }
}

const unreachable = (why: string) =>
  refuse("profile_unreachable", `The agent's profile could not be fetched. ${why}`, {
    retryAfterMs: KEPT_MS.least,
  });

/** Reads a body of bounded size; undefined if it is larger. */
async function readText({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lifetimeOf(cacheControl: string | null): number {
  const [, seconds = "0"] = /\bmax-age=(\d{1,9})\b/.exec(cacheControl ?? "") ?? [];
  return Math.min(Math.max(Number(seconds) * 1000, KEPT_MS.least), KEPT_MS.most);
}

const SPECIAL_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|onion|home\.arpa)$/;

/** Returns the URL of a profile; undefined unless it is https on the usual port of a public name. */
export function publicUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== "https:" || url.port !== "" || url.username !== "" || url.password !== "")
    return undefined;
  const name = url.hostname.replace(/\.$/, "");
  // An address of either family is no name: IPv6 has brackets, and the URL parser writes every form of IPv4 as numbers.
  const isName = /\.[a-z][a-z0-9-]*$/.test(name);
  return isName && !SPECIAL_NAMES.test(name) ? url : undefined;
}
