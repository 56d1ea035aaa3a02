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
import { BASE_SCOPE, type Scope, isScope, scopesOf } from "./scopes.ts";
import type { SignedIn } from "./sessions.ts";

/**
 * Seconds. A client in use stays signed in, because having to sign in again is the first thing people complain about.
 */
export const REFRESH_TTL_S = 30 * 24 * 60 * 60;

const NAME_MAX = 80;
const CONNECTIONS_MAX = 200;

/** The store of grants, and the audits in which changes are recorded. */
export interface Grants {
  oauth: OAuthHelpers;
  callers: CallerNamespace;
}

/** A scope on a consent page. */
export interface Offered {
  scope: Scope;
  /** Whether the client requested it. Only requested scopes are ticked until the person ticks more. */
  isRequested: boolean;
}

/**
 * Returns the scopes that a consent page offers: all that are allowed, because clients request only what they were told
 * about, and few can request more later. A client that requests none of this server's scopes gets the base scope
 * ticked, which is the default value that RFC 6749, section 3.3 asks for.
 */
export function offeredScopes(requested: readonly string[], allowed: readonly Scope[]): Offered[] {
  const known = requested.filter(isScope);
  const ticked: readonly Scope[] = known.length === 0 ? [BASE_SCOPE] : known;
  return allowed.map((scope) => ({ scope, isRequested: ticked.includes(scope) }));
}

/**
 * Returns the ticked scopes that are allowed, because the form's content cannot be trusted. A person may allow more than
 * the client requested; the token's answer names what was granted (RFC 6749, section 3.3).
 */
export function grantedScopes(
  ticked: readonly string[],
  requested: readonly string[],
  allowed: readonly Scope[],
): string[] {
  const granted = allowed.filter((scope) => ticked.includes(scope));
  const stays = granted.length > 0 && requested.includes("offline_access");
  return stays ? [...granted, "offline_access"] : granted;
}

/**
 * Cuts and cleans the app's name. The app chose it, so no length may push the rest out of sight and no bidi mark may
 * turn the line around.
 */
export const shownName = ({ clientName, clientId }: ConsentDescription): string =>
  clip(plainLine(clientName), NAME_MAX) || clientId;

/** Returns a client's id for audit and pages. A client that describes itself has a URL of any length for an id. */
export const shownId = (clientId: string): string => clip(plainLine(clientId), NAME_MAX);

/** Returns how pages and the audit show a client that was granted access without a consent page. */
export const connectionOf = ({ clientId, clientName = "" }: { clientId: string; clientName?: string }) => ({
  shownId: shownId(clientId),
  metadata: { name: clip(plainLine(clientName), NAME_MAX) || shownId(clientId) },
});

/** Grants a client what a person allowed, and returns the URL where the browser continues. */
export async function completeGrant(
  { oauth, callers }: Grants,
  request: AuthRequest,
  ticked: readonly string[],
  { user, credential }: Pick<SignedIn, "user" | "credential">,
): Promise<string> {
  const scope = grantedScopes(ticked, request.scope, scopesOf(user.roles));
  // Allowing nothing is a decline: a token without a scope would be refused at every call.
  if (scope.length === 0) return authorizationErrorRedirect(request, "access_denied");
  const name = shownName(await oauth.describeConsent(request));
  const change = { change: "client_allowed", by: user.userId, client: shownId(request.clientId) } as const;
  await noteIdentity(callers, user.userId, change, "before");
  const { redirectTo } = await oauth.completeAuthorization({
    request,
    userId: user.userId,
    // Stored so that /account can show the client without fetching its description again.
    metadata: { name },
    scope,
    props: credential,
  });
  return redirectTo;
}

/** A client that may act for a user, as the user sees it. Times are milliseconds since the epoch. */
export interface Connection {
  id: string;
  name: string;
  /** The destination of its access: a host, or a link of an app's own scheme. */
  destination: string;
  scope: string[];
  connectedAt: number;
  /** When it last got new tokens, which is at most an hour after its last use. */
  renewedAt: number;
  endsAt: number | undefined;
}

/** Ends a client's access for a user and records that in the user's audit. */
export async function endConnection({ oauth, callers }: Grants, userId: string, id: string): Promise<void> {
  const { items } = await oauth.listUserGrants(userId, { limit: CONNECTIONS_MAX });
  await oauth.revokeGrant(id, userId);
  const ended = items.find((each) => each.id === id);
  if (ended === undefined && items.length < CONNECTIONS_MAX) return;
  // A grant beyond those listed is recorded under its own id.
  const client = shownId(ended?.clientId ?? id);
  const change = { change: "client_ended", by: userId, client } as const;
  await noteIdentity(callers, userId, change, "after");
}

/** Ends a grant whose refresh token was used again, and records that in the user's audit. */
export async function endReplayedGrant(
  { oauth, callers }: Grants,
  userId: string,
  { grantId, clientId }: { grantId: string; clientId: string },
): Promise<void> {
  await oauth.revokeGrant(grantId, userId);
  const change = { change: "refresh_replayed", by: userId, client: shownId(clientId) } as const;
  await noteIdentity(callers, userId, change, "after");
}

/** Ends the access of every client for a user. */
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

const destinationOf = ({ protocol, host }: URL): string =>
  protocol === "https:" || protocol === "http:" ? host : protocol;

/** Returns the clients that a user has allowed and that can still act, newest first. */
export async function listConnections(oauth: OAuthHelpers, userId: string): Promise<Connection[]> {
  const { items } = await oauth.listUserGrants(userId, { limit: CONNECTIONS_MAX });
  return items
    .map(({ id, clientId, metadata, redirectUri, scope, createdAt, expiresAt }) => {
      const named = metadataSchema.safeParse(metadata);
      // A client of enterprise-managed authorization has no redirect.
      const url = redirectUri === undefined ? undefined : new URL(redirectUri);
      return {
        id,
        name: named.success ? named.data.name : shownId(clientId),
        destination: url === undefined ? "the client itself" : destinationOf(url),
        scope: scope.filter(isScope),
        connectedAt: createdAt * 1000,
        // Every refresh moves the expiry by the same span, so the last refresh can be computed from it.
        renewedAt: Math.max(createdAt, (expiresAt ?? 0) - REFRESH_TTL_S) * 1000,
        endsAt: expiresAt === undefined ? undefined : expiresAt * 1000,
      };
    })
    .toSorted((a, b) => b.connectedAt - a.connectedAt);
}
