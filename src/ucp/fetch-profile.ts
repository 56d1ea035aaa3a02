import * as z from "zod";
import { IsolateBudget } from "../guard/isolate-budget.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";

// Fetches the profiles of agents, at addresses that anybody may choose (src/validation/public-url.ts).

const profileSchema = z.looseObject({
  ucp: z.looseObject({
    version: z.string(),
    capabilities: z.record(z.string(), z.array(z.looseObject({ version: z.string() }))).default({}),
  }),
  keys: z.array(z.looseObject({})).default([]),
});
export type AgentProfile = z.output<typeof profileSchema>;

const TIMEOUT_MS = 3_000;
/** The protocol asks for 128 KiB or more. */
const BYTES_MAX = 128 * 1024;
/** Milliseconds that a profile is kept: what its server says, within these bounds. A failure is kept as long as the least. */
const KEPT_MS = { least: 60_000, most: 60 * 60_000 };
/** Profiles that one isolate keeps; fetches in a minute for all unlisted agents, or one listed host; those for one caller. */
const PROFILES_MAX = 500;
const FETCHES = { max: 120, window_s: 60 };
const FETCHES_OF_CALLER = { max: 20, window_s: 60 };

const kept = new Map<string, { since: number; until: number; result: Outcome<AgentProfile> }>();
const fetches = new IsolateBudget();

/** For whom a profile is fetched. */
export interface Wanted {
  /** Id of the caller, who has a share of all fetches. */
  caller: string;
  /** Whether the policy lists the profile's host, which then has fetches of its own. */
  isListed: boolean;
  /** A key that the profile should have: a kept one without it is fetched again, once a minute. */
  keyId?: string;
  /** Does the fetch, or refuses it, for a request that is not admitted yet. */
  within?: (work: () => Promise<Outcome<AgentProfile>>) => Promise<Outcome<AgentProfile>>;
}

/** Returns the profile at a URL, from the cache or the network. `now` is in milliseconds since the epoch. */
export async function fetchProfile(url: URL, now: number, wanted: Wanted): Promise<Outcome<AgentProfile>> {
  const known = kept.get(url.href);
  if (known !== undefined && known.until > now && !isRotated(known, now, wanted)) {
    const { result } = known;
    if (result.ok) return result;
    const { code, message } = result.refusal;
    return refuse(code, message, { retryAfterMs: known.until - now });
  }
  const wait =
    fetches.take(`by ${wanted.caller}`, FETCHES_OF_CALLER, now) ||
    fetches.take(wanted.isListed ? url.hostname : "all other agents", FETCHES, now);
  if (wait > 0)
    return refuse("profile_unreachable", "Too many profiles were fetched.", { retryAfterMs: wait });
  const fetchNow = async () => {
    const { result, keepMs } = await read(url);
    // A profile that cannot be fetched again is good for as long as it was.
    if (!result.ok && known?.result.ok === true && known.until > now) return known.result;
    kept.delete(url.href);
    const [oldest] = kept.keys();
    if (kept.size >= PROFILES_MAX && oldest !== undefined) kept.delete(oldest);
    kept.set(url.href, { since: now, until: now + keepMs, result });
    return result;
  };
  return wanted.within === undefined ? fetchNow() : wanted.within(fetchNow);
}

/** Whether the key may have been published since the profile was fetched. */
const isRotated = (
  { since, result }: { since: number; result: Outcome<AgentProfile> },
  now: number,
  { keyId }: Wanted,
): boolean =>
  keyId !== undefined &&
  result.ok &&
  now - since >= KEPT_MS.least &&
  !result.value.keys.some((key) => key["kid"] === keyId);

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
