// Answers a request over MCP for its caller: one with a credential, or one without a token.

import { insufficientScope } from "@cloudflare/workers-oauth-provider";
import type { AppContext } from "./app-types.ts";
import { UNAVAILABLE } from "./guard/refusals.ts";
import { nameRefusal, withRefusal } from "./http/oauth-refusal.ts";
import { refuseRequest } from "./http/refuse-request.tsx";
import { refuseSignature } from "./http/signed-request.ts";
import { callerByAddress } from "./identity/caller-address.ts";
import { protectedResource } from "./identity/oauth.ts";
import type { Principal } from "./identity/principal.ts";
import { ALL_SCOPES } from "./identity/scopes.ts";
import { isSigned } from "./identity/signature.ts";
import { reportUnexpected } from "./mcp/call.ts";
import { type McpRequest, serveMcp } from "./mcp/endpoint.ts";
import { answerOtherMethod } from "./mcp/protocol.ts";
import { type Refusal, refusalResponse, refuse } from "./refusal.ts";

type Serve = (request: Request, context: McpRequest) => Promise<Response>;

/** Serves a caller with a credential. If the identity that this isolate has kept is a former one, it is read again. */
export async function serveIdentified(c: AppContext, serve: Serve = serveMcp): Promise<Response> {
  // A signed request reads the database anyway, and its nonce and its refusals count once.
  const mayBeKept = !isSigned(c.req.raw.headers);
  const served = await serveAs(c, serve, { mayBeKept });
  if (served !== undefined) return served;
  const { method } = c.req;
  c.req.raw = new Request(c.req.raw, { method, body: c.var.body ?? null });
  return (await serveAs(c, serve, { mayBeKept: false })) ?? refuseRequest(c, UNAVAILABLE);
}

/** Returns undefined if nothing has confirmed the kept identity. Then nothing was done for the request. */
async function serveAs(
  c: AppContext,
  serve: Serve,
  { mayBeKept }: { mayBeKept: boolean },
): Promise<Response | undefined> {
  let isKnown = false;
  let isBelieved = true;
  let failure: Refusal | undefined;
  const resource = protectedResource(c.var, {
    mayBeKept,
    async serve(_, { principal, signature }, auth, claim) {
      isKnown = true;
      const otherMethod = answerOtherMethod(c.req.raw, c.var.correlationId);
      if (otherMethod !== undefined) return otherMethod;
      const refusal = await refuseSignature(c, { userId: principal.id, signature });
      if (refusal !== undefined) return refusalResponse(refusal, c.var.correlationId);
      const answer = await serve(c.req.raw, {
        ...mcpContext(c),
        principal,
        claim,
        challenge: async (scopes) => {
          const description = `This needs ${scopes.join(" and ")}. Sign in again and allow that.`;
          // A client requests exactly the named scopes, so the ones that it has are named too; else it would lose them.
          const wanted = ALL_SCOPES.filter((scope) => [...scopes, ...principal.scopes].includes(scope));
          return (await nameRefusal(c, insufficientScope(auth, wanted, description))).named;
        },
      });
      ({ isBelieved } = claim);
      return answer;
    },
    onFailure: (error) => void (failure = reportUnexpected(error, c.var, "identity")),
  });
  // The OAuth library knows one protected resource, /mcp, and serves no other path.
  const { method, headers } = c.req.raw;
  const asked = serve === serveMcp ? c.req.raw : new Request(new URL("/mcp", c.req.url), { method, headers });
  const response = await resource.fetch(asked, c.env, c.env.ctx);
  // The library answers a failure with an empty 503.
  if (failure !== undefined) return refuseRequest(c, failure);
  if (!isBelieved) {
    await response.body?.cancel();
    return undefined;
  }
  return isKnown ? response : withRefusal(c, response);
}

export const serveAnonymous = (c: AppContext, serve?: Serve): Promise<Response> =>
  serveWithoutToken(c, callerByAddress(c), serve);

/** Serves a caller without a token, which could be granted more scopes. */
export function serveWithoutToken(
  c: AppContext,
  principal: Principal,
  serve: Serve = serveMcp,
): Promise<Response> {
  return serve(c.req.raw, {
    ...mcpContext(c),
    principal,
    challenge: (scopes, id) => {
      const wanted = `This needs a signed-in caller who was granted ${scopes.join(" and ")}.`;
      const { refusal } = refuse("permission_denied", wanted, { hints: { scopes } });
      return refusalResponse(refusal, c.var.correlationId, { id });
    },
  });
}

function mcpContext(c: AppContext) {
  const { policy, secretKey, correlationId, deadline, origin } = c.var;
  const { DB: db, USER_WINDOWS: callers, ASSETS: assets } = c.env;
  return { db, callers, assets, policy, secretKey, correlationId, deadline, origin };
}
