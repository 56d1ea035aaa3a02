import {
  type AuthRequest,
  type ConsentDescription,
  type OAuthHelpers,
  authorizationErrorRedirect,
} from "@cloudflare/workers-oauth-provider";
import * as z from "zod";
import { clip, plainLine } from "../text/plain-text.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";
import { noteIdentity } from "./changes.ts";
import { BASE_SCOPE, SCOPES, type Scope, isScope, scopesOf } from "./scopes.ts";
import type { SignedIn } from "./sessions.ts";

/** Seconds: a client in use stays signed in, since people's first complaint is having to sign in again. */
export const REFRESH_TTL_S = 30 * 24 * 60 * 60;

const NAME_MAX = 80;
const CONNECTIONS_MAX = 200;

/** Where grants are kept, and the audits that tell of them. */
export interface Grants {
  oauth: OAuthHelpers;
  callers: CallerNamespace;
}

/** What is asked of a person whose roles aren't known yet. */
export const ALL_SCOPES = Object.keys(SCOPES).filter(isScope);

/** What a consent page offers: what the client asks for, the base scope where it names none, as far as it is allowed. */
export function offeredScopes(requested: readonly string[], allowed: readonly Scope[]): Scope[] {
  const asked: readonly string[] = requested.length === 0 ? [BASE_SCOPE] : requested;
  return allowed.filter((scope) => asked.includes(scope));
}

/** What was ticked of what was offered: a form is not believed beyond that. */
export function grantedScopes(
  ticked: readonly string[],
  requested: readonly string[],
  allowed: readonly Scope[],
): string[] {
  const offered = new Set<string>(offeredScopes(requested, allowed));
  const granted = ticked.filter((scope) => offered.has(scope));
  const stays = granted.length > 0 && requested.includes("offline_access");
  return stays ? [...granted, "offline_access"] : granted;
}

/** The app chose its name: no length of it may push the rest out of sight, no mark in it turn the line around. */
export const shownName = ({ clientName, clientId }: ConsentDescription): string =>
  clip(plainLine(clientName), NAME_MAX) || clientId;

/** A client as audit and pages name it: one that describes itself has a URL of any length for an id. */
const shownId = (clientId: string): string => clip(plainLine(clientId), NAME_MAX);

/** Grants a client what a person allowed it; gives where the browser goes on. */
export async function completeGrant(
  { oauth, callers }: Grants,
  request: AuthRequest,
  ticked: readonly string[],
  { user, credential }: Pick<SignedIn, "user" | "credential">,
): Promise<string> {
  const scope = grantedScopes(ticked, request.scope, scopesOf(user.roles));
  // To allow nothing is to decline: a token without a scope would be refused at every call.
  if (scope.length === 0) return authorizationErrorRedirect(request, "access_denied");
  const name = shownName(await oauth.describeConsent(request));
  const change = { change: "client_allowed", by: user.userId, client: shownId(request.clientId) } as const;
  await noteIdentity(callers, user.userId, change, "before");
  const { redirectTo } = await oauth.completeAuthorization({
    request,
    userId: user.userId,
    // As /account shows the client, without asking for its description again.
    metadata: { name },
    scope,
    props: credential,
  });
  return redirectTo;
}

/** A client that may act for somebody, as they see it; times in milliseconds since the epoch. */
export interface Connection {
  id: string;
  name: string;
  /** Where its access went: a host, or a link of an app's own scheme. */
  goesTo: string;
  scope: string[];
  connectedAt: number;
  /** When it last got new tokens: within an hour of its last use. */
  renewedAt: number;
  endsAt: number | undefined;
}

/** Ends what a client may do for a user, in the user's audit too. */
export async function endConnection({ oauth, callers }: Grants, userId: string, id: string): Promise<void> {
  const { items } = await oauth.listUserGrants(userId, { limit: CONNECTIONS_MAX });
  await oauth.revokeGrant(id, userId);
  const ended = items.find((each) => each.id === id);
  if (ended === undefined && items.length < CONNECTIONS_MAX) return;
  // Of one grant among more than are listed, its own id.
  const client = shownId(ended?.clientId ?? id);
  const change = { change: "client_ended", by: userId, client } as const;
  await noteIdentity(callers, userId, change, "after");
}

/** Ends whatever clients may do for a user. */
export async function endEveryConnection({ oauth }: Grants, userId: string): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await oauth.listUserGrants(userId, {
      limit: CONNECTIONS_MAX,
      ...(cursor !== undefined && { cursor }),
    });
    for (const { id } of page.items) await oauth.revokeGrant(id, userId);
    cursor = page.cursor;
  } while (cursor !== undefined);
}

const metadataSchema = z.object({ name: z.string() });

/** The clients that a user has allowed and that can still act, the newest first. */
export async function listConnections(oauth: OAuthHelpers, userId: string): Promise<Connection[]> {
  const { items } = await oauth.listUserGrants(userId, { limit: CONNECTIONS_MAX });
  return items
    .map(({ id, clientId, metadata, redirectUri, scope, createdAt, expiresAt }) => {
      const named = metadataSchema.safeParse(metadata);
      const url = new URL(redirectUri ?? "unknown:");
      return {
        id,
        name: named.success ? named.data.name : shownId(clientId),
        goesTo: url.protocol === "https:" || url.protocol === "http:" ? url.host : url.protocol,
        scope: scope.filter(isScope),
        connectedAt: createdAt * 1000,
        // Every refresh puts the end off to as long after it.
        renewedAt: Math.max(createdAt, (expiresAt ?? 0) - REFRESH_TTL_S) * 1000,
        endsAt: expiresAt === undefined ? undefined : expiresAt * 1000,
      };
    })
    .toSorted((a, b) => b.connectedAt - a.connectedAt);
}
