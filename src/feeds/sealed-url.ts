import { openText, sealText } from "../identity/sealed-text.ts";
import { secretKeyOf } from "../setup/secret-key.ts";
import { DeliveryError } from "./fetch-feed.ts";

// A feed's URL may hold a password, so it is stored sealed with the server's secret key.

/** Returns the URL as the feed's object stores it. */
export const sealUrl = async (url: string, env: Env, feed: string): Promise<string> =>
  sealText(url, { purpose: "feed URL", secret: await secretKeyOf(env), owner: feed });

/** Throws a DeliveryError if the secret key is another one by now. */
export async function openUrl(sealed: string, env: Env, feed: string): Promise<string> {
  const secret = await secretKeyOf(env);
  // The first builds with feeds sealed URLs for the purpose of answers.
  for (const purpose of ["feed URL", "sealed refresh answer"] as const) {
    try {
      return openText(sealed, { purpose, secret, owner: feed });
    } catch {}
  }
  throw new DeliveryError(
    "The server's secret key has changed, so the feed's URL can't be read. Add the feed again.",
  );
}
