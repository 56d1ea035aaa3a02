import type { Context } from "hono";
import type { Deadline } from "./deadlines.ts";
import type { Settings } from "./env.ts";
import type { Policy } from "./policy/schema.ts";

/** The bindings and variables that every route of the app can use. */
export interface AppTypes {
  Bindings: Env & {
    /** The request's own context; Hono's type of it lacks what the OAuth library needs. */
    ctx: ExecutionContext;
  };
  Variables: {
    settings: Settings;
    /** Names the request, like the X-Request-Id of its answer. */
    correlationId: string;
    /** The time limit of the request, shared by everything that works on it. */
    deadline: Deadline;
    /** Scheme, host and port that clients use: the OAuth issuer, and the base of the protected resource. */
    origin: string;
    /** Whether this is a developer's own machine (src/http/hosts.ts). */
    local: boolean;
    secretKey: string;
    policy: Policy;
    /** The request's whole body; absent if it has none. */
    body?: ArrayBuffer;
    /** Whether the browser's cookie was looked up, and is that of a session. */
    session?: "good" | "bad";
  };
}

export type AppContext = Context<AppTypes>;
