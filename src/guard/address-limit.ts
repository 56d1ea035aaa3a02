import { createMiddleware } from "hono/factory";
import type { AppContext, AppTypes } from "../app-types.ts";
import type { Refusal } from "../refusal.ts";
import { guardOfAddress } from "./address-guard.ts";
import { NOTHING_SEEN, UNAVAILABLE } from "./guard.ts";

type Show = (c: AppContext, refusal: Refusal) => Response | Promise<Response>;

/**
 * Counts what anybody may ask who has proved nothing, and what is kept or fetched for it, by network address: in the
 * window of discovery that the policy gives the role anonymous. Closed where that window can't be reached.
 */
export const limitByAddress = (name: string, show: Show) =>
  createMiddleware<AppTypes>(async (c, next) => {
    const target = {
      kind: "request",
      name,
      bucket: "discovery",
      access: undefined,
      labels: undefined,
    } as const;
    const { correlationId } = c.var;
    const admission = await guardOfAddress(c).admit({ correlationId, target, args: {}, refused: {} });
    if (!admission.ok) return show(c, admission.refusal);
    const began = performance.now();
    // The guard lets discovery go on unguarded, as it keeps nothing; this does.
    const isCounted = admission.degraded !== true;
    if (isCounted) await next();
    await admission.value.settle({
      ...NOTHING_SEEN,
      outcome: isCounted ? "ok" : "unavailable",
      durationMs: performance.now() - began,
    });
    return isCounted ? undefined : show(c, UNAVAILABLE);
  });
