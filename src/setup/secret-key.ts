import { within } from "../deadlines.ts";
import { secretSetting } from "../env.ts";
import { reachSetup } from "./setup-client.ts";

/** The made key of each binding, once this isolate has read it. It never changes. */
const known = new WeakMap<Env["SERVER_SETUP"], string>();

type Variables = Pick<Env, "SERVER_SETUP"> & { SECRET_KEY?: string | undefined };

/**
 * Returns the key of the server's hashes, derived keys and sealed texts: the setting SECRET_KEY, else the key that the server
 * made at first use and keeps in a Durable Object. Throws Unreachable if the object does not answer, and an error if
 * SECRET_KEY is set but invalid: nothing may be served with another key then.
 */
export async function secretKeyOf(env: Variables, wait: typeof within = within): Promise<string> {
  const set = secretSetting(env);
  if (set !== undefined) return set;
  const cached = known.get(env.SERVER_SETUP);
  if (cached !== undefined) return cached;
  const key = await reachSetup(env, async (setup) => setup.secretKey(Date.now()), wait);
  known.set(env.SERVER_SETUP, key);
  return key;
}
