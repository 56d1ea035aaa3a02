import * as z from "zod";
import type { AppContext } from "../app-types.ts";
import { CallerClient } from "../caller/caller-client.ts";
import type { RefreshRequest } from "../caller/refreshes.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { logSurprise } from "../telemetry/log.ts";
import { basicClientId } from "./basic-client-id.ts";
import { noteIdentity } from "./changes.ts";
import { endReplayedGrant, shownId } from "./grants.ts";
import { grantsOf } from "./oauth.ts";
import { type Seal, openText, sealText } from "./sealed-text.ts";
import { hashSecret } from "./secrets.ts";
import { findUser } from "./users.ts";

// One exchange for each refresh token. The OAuth library accepts the last two tokens of a grant, and of two requests at
// once it makes two successors, of which one is dead. Here the user's Durable Object decides who is first.

/** Only the holder of the refresh token that was exchanged for an answer can read it. */
const sealOf = (secret: string, owner: string): Seal => ({ purpose: "sealed refresh answer", secret, owner });

type AskLibrary = (request: Request) => Promise<Response>;

interface Refresh {
  token: string;
  userId: string;
  grantId: string;
  clientId: string;
  form: URLSearchParams;
}

/** Milliseconds before a request asks again whether the one before it has ended. */
const PAUSE_MS = 50;

/** Answers a token request. A refresh token that was used before gets the same answer, or ends its grant. */
export async function refreshOnce(c: AppContext, ask: AskLibrary): Promise<Response> {
  const request = c.req.raw;
  const refresh = await refreshIn(request);
  if (refresh === undefined) return ask(request);
  await ensureMigrated(c.env.DB);
  // A made-up token must not make an object.
  if ((await findUser(c.env.DB, refresh.userId)) === undefined) return ask(request);

  const caller = new CallerClient(c.env.USER_WINDOWS, refresh.userId, c.var.deadline);
  const use = {
    token: hashSecret(refresh.token),
    client: hashSecret(refresh.clientId),
    requestId: c.var.correlationId,
  };
  const begun = await beginWhenFree(c, caller, use);
  switch (begun.status) {
    case "first":
      return exchange(c, refresh, { use, ask });
    case "repeated":
      return repeat(c, refresh, begun, ask);
    case "replayed":
      return endGrant(c, refresh, { caller, ask });
    case "foreign":
      return ask(request);
    default: {
      const none: never = begun;
      return none;
    }
  }
}

/** Begins the exchange as soon as no other request is exchanging the same token. */
async function beginWhenFree(c: AppContext, caller: CallerClient, use: RefreshRequest) {
  for (;;) {
    const begun = await caller.beginRefresh(use);
    if (begun.status !== "busy") return begun;
    await c.var.deadline.run(() => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)));
  }
}

async function exchange(
  c: AppContext,
  { token, userId, grantId }: Refresh,
  { use, ask }: { use: RefreshRequest; ask: AskLibrary },
): Promise<Response> {
  let answer: string | undefined;
  try {
    const response = await ask(c.req.raw);
    if (response.ok) answer = await response.clone().text();
    return response;
  } finally {
    const exchanged =
      answer === undefined ? undefined : { grantId, answer: sealText(answer, sealOf(token, use.client)) };
    // Recorded even if the client has gone. If that fails, the client must get its tokens all the same: without them it
    // is signed out.
    await new CallerClient(c.env.USER_WINDOWS, userId)
      .endRefresh({ ...use, exchanged })
      .catch((error: unknown) => logSurprise(error, { what: "refresh" }));
  }
}

const tokensSchema = z.looseObject({ expires_in: z.number() });

/** Gives the tokens of the first exchange again, to the same client. */
async function repeat(
  c: AppContext,
  refresh: Refresh,
  { answer, usedAt }: { answer: string; usedAt: number },
  ask: AskLibrary,
): Promise<Response> {
  const refused = await refuseClient(c.req.raw, refresh, ask);
  if (refused !== undefined) return refused;
  const opened = openText(answer, sealOf(refresh.token, hashSecret(refresh.clientId)));
  const tokens = tokensSchema.parse(JSON.parse(opened));
  const client = shownId(refresh.clientId);
  const change = { change: "refresh_repeated", by: refresh.userId, client } as const;
  await noteIdentity(c.env.USER_WINDOWS, refresh.userId, change, "before");
  const age = Math.max(0, Math.ceil((Date.now() - usedAt) / 1000));
  return Response.json(
    { ...tokens, expires_in: Math.max(1, tokens.expires_in - age) },
    { headers: NO_STORE },
  );
}

/**
 * Ends a grant whose refresh token was used again: client and thief can't be told apart then (RFC 9700, section 4.14.2).
 */
async function endGrant(
  c: AppContext,
  refresh: Refresh,
  { caller, ask }: { caller: CallerClient; ask: AskLibrary },
): Promise<Response> {
  const refused = await refuseClient(c.req.raw, refresh, ask);
  if (refused !== undefined) return refused;
  const { userId, grantId, clientId } = refresh;
  await endReplayedGrant(grantsOf(c), userId, { grantId, clientId });
  await caller.forgetGrant(grantId);
  const description = "The refresh token was used before. The sign-in has ended; sign in again.";
  return Response.json(
    { error: "invalid_grant", error_description: description },
    { status: 400, headers: NO_STORE },
  );
}

const NO_STORE = { "Cache-Control": "no-store", Pragma: "no-cache" };

/**
 * Lets the library authenticate the client, by a request to revoke a token that it never issued; returns its refusal.
 */
async function refuseClient(
  request: Request,
  { form }: Refresh,
  ask: AskLibrary,
): Promise<Response | undefined> {
  const revocation = new URLSearchParams(form);
  for (const name of ["grant_type", "refresh_token", "scope", "resource", "token_type_hint"])
    revocation.delete(name);
  revocation.set("token", "none");
  const response = await ask(new Request(request, { method: "POST", body: revocation.toString() }));
  return response.ok ? undefined : response;
}

/** Returns the refresh that a token request asks for; undefined if it asks for something else, or is malformed. */
async function refreshIn(request: Request): Promise<Refresh | undefined> {
  if (request.method !== "POST") return undefined;
  const form = new URLSearchParams(new TextDecoder().decode(await request.clone().arrayBuffer()));
  // The library refuses a request that repeats one of these. It accepts a repeated resource.
  const isRepeated = ["grant_type", "refresh_token", "client_id"].some(
    (name) => form.getAll(name).length > 1,
  );
  if (form.get("grant_type") !== "refresh_token" || isRepeated) return undefined;
  const token = form.get("refresh_token") ?? "";
  const [userId = "", grantId = "", ...rest] = token.split(":");
  const clientId =
    basicClientId(request.headers.get("authorization")) ??
    form.get("client_id") ??
    issuerOf(form.get("client_assertion") ?? "");
  if (rest.length !== 1 || userId === "" || clientId === undefined) return undefined;
  return { token, userId, grantId, clientId, form };
}

const assertionSchema = z.object({ iss: z.string() });

/** Returns the client that an assertion names (RFC 7523). The library checks the assertion before anything is given. */
function issuerOf(assertion: string): string | undefined {
  const [, payload = ""] = assertion.split(".");
  try {
    return assertionSchema.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8"))).iss;
  } catch {
    return undefined;
  }
}
