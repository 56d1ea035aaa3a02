import type { AppContext } from "../app-types.ts";
import { renderPage } from "../web/layout/page.tsx";
import { oauthRefusal } from "./oauth-refusal.ts";
import { type Refusal, refusalHeaders, refusalResponse } from "../refusal.ts";
import { refusals } from "../refusal-codes.ts";
import { requestRefused } from "../telemetry/sink.ts";

/** Returns whether the Accept header shows a browser. Programs accept JSON or anything. */
export const isForPerson = (c: AppContext): boolean => c.req.header("accept")?.includes("text/html") === true;

/** Refuses a whole request; counts and logs it. */
export function refuseRequest(c: AppContext, refusal: Refusal): Response | Promise<Response> {
  requestRefused(refusal.code, c.var);
  return showRefusal(c, refusal);
}

/**
 * Writes the refusal of a whole request: as a page for a person, in OAuth's form for its clients, as JSON-RPC
 * otherwise.
 */
export function showRefusal(c: AppContext, refusal: Refusal): Response | Promise<Response> {
  const { correlationId } = c.var;
  if (!isForPerson(c))
    return c.req.path.startsWith("/oauth/")
      ? oauthRefusal(refusal, correlationId)
      : refusalResponse(refusal, correlationId);
  const { http: status, next } = refusals[refusal.code];
  return renderPage(
    "This page can't be shown",
    <>
      <p class="bad">{refusal.message}</p>
      <p>{next}</p>
      <p class="quiet">
        Reference <code>{correlationId}</code>
      </p>
    </>,
    { status, headers: refusalHeaders(refusal) },
  );
}
