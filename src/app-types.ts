import type { Context } from "hono";
import type { Deadline } from "./deadlines.ts";
import type { Settings } from "./env.ts";
import type { Policy } from "./policy/schema.ts";

/** What every route of the app finds at hand. */
export interface AppTypes {
  Bindings: Env & {
    /** The request's own; Hono's type of it lacks what the OAuth library asks for. */
    ctx: ExecutionContext;
  };
  Variables: {
    settings: Settings;
    /** Names the request, as the X-Request-Id of its answer does. */
    correlationId: string;
    /** The time that the request has; every part of it shares this. */
    deadline: Deadline;
    /** Scheme, host and port that clients use: the OAuth issuer, and the base of the protected resource. */
    origin: string;
    /** Whether this is a developer's own machine (src/http/hosts.ts). */
    local: boolean;
    secretKey: string;
    policy: Policy;
    /** Whether the browser's cookie was looked up, and is that of a session. */
    session?: "good" | "bad";
  };
}

export type AppContext = Context<AppTypes>;
