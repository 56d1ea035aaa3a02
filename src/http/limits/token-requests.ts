import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { basicClientId } from "../../identity/basic-client-id.ts";
import { callerByAddress } from "../../identity/caller-address.ts";
import { readForm, textOf } from "../../web/layout/form-guards.ts";
import { hashSecret } from "../../identity/secrets.ts";
import { refuseRequest } from "../refuse-request.tsx";
import { tooMany } from "./failed-credentials.ts";
import { IsolateBudget, RecentNames } from "../../guard/isolate-budget.ts";

const good = new RecentNames();
const requests = new IsolateBudget();
const failures = new IsolateBudget();

/**
 * Counts token requests by client and grant, and only failed ones by address, because hundreds of users of a hosted
 * assistant share a few addresses. A client that recently got tokens for its grant from this isolate is never refused
 * because of its address. `limitFetch` counts requests for which a client's description is fetched from elsewhere.
 */
export const limitTokenRequests = (limitFetch: MiddlewareHandler<AppTypes>) =>
  createMiddleware<AppTypes>(async (c, next) => {
    const { client, grant, isFetched } = await readTokenRequest(c);
    const { token_requests: byGrant, failed_token_requests: byAddress } = c.var.policy.unauthenticated;
    const address = callerByAddress(c).id;
    const now = Date.now();
    const name = hashSecret(JSON.stringify([client, grant]));
    const isKnown = good.has(name);
    const wait = isKnown ? 0 : failures.waitMs(address, byAddress, now);
    // Without a grant, for example in a request to revoke nothing, the address takes its place.
    const mustWait = Math.max(wait, requests.take(grant === "" ? `${name} ${address}` : name, byGrant, now));
    if (mustWait > 0) return refuseRequest(c, tooMany(mustWait));
    // Count before the lookup, so that parallel requests do not all see room for one more.
    if (!isKnown) failures.charge(address, byAddress, now);
    const refused = isFetched && !isKnown ? await limitFetch(c, next) : await next();
    // `limitFetch` has already made its response.
    if (refused instanceof Response) return refused;
    const hasFailed = c.res.status >= 400 && c.res.status < 500;
    if (!hasFailed && !isKnown) failures.refund(address, byAddress, now);
    if (c.res.status < 400) good.add(name);
    else if (hasFailed) good.delete(name);
    return undefined;
  });

interface TokenRequest {
  client: string;
  /** `<user>:<grant>` from a code or refresh token, in front of its secret; empty if there is none. */
  grant: string;
  /** Whether the client's id is the https address of its description (a client ID metadata document). */
  isFetched: boolean;
}

async function readTokenRequest(c: AppContext): Promise<TokenRequest> {
  const form = await readForm(c);
  const client = basicClientId(c.req.header("authorization")) ?? textOf(form, "client_id");
  const secret = textOf(form, "refresh_token") || textOf(form, "code");
  return { client, grant: secret.split(":").slice(0, 2).join(":"), isFetched: /^\s*https:/i.test(client) };
}
