import type { CallerNamespace } from "../caller/caller-do.ts";
import { forgetIdentity } from "./changes.ts";

/** `grant:USER:GRANT` and `token:USER:GRANT:TOKEN`; user ids hold no colon. */
const OF_USER = /^(?:grant|token):([^:]+):/;

/**
 * Returns the bindings for the OAuth library. Its store tells a user's object whenever a token or grant of theirs is deleted,
 * before the deletion is answered: that is how every revocation of the library ends, asked for or not.
 */
export function withTokenStore<Bindings extends { OAUTH_KV: KVNamespace; USER_WINDOWS: CallerNamespace }>(
  env: Bindings,
): Bindings {
  const store = new Proxy(env.OAUTH_KV, {
    get(kv, name) {
      if (name === "delete")
        return async (key: string) => {
          await kv.delete(key);
          const [, user] = OF_USER.exec(key) ?? [];
          if (user !== undefined) await forgetIdentity(env.USER_WINDOWS, user);
        };
      const value: unknown = Reflect.get(kv, name);
      return typeof value === "function" ? value.bind(kv) : value;
    },
  });
  return { ...env, OAUTH_KV: store };
}
