import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { AppTypes } from "../app-types.ts";
import { refuseRequest } from "./refuse-request.tsx";
import { refuse } from "../refusal.ts";

/**
 * Reads a request's whole body, at most `max` bytes, before anything else happens. A body that is cut off or not
 * complete by the request's deadline is refused.
 */
export const receiveBody = (max: number) => {
  const limit = bodyLimit({
    maxSize: max,
    onError: (c) =>
      refuseRequest(c, refuse("request_too_large", `The request is larger than ${max} bytes.`).refusal),
  });
  return createMiddleware<AppTypes>(async (c, next) => {
    if (c.req.raw.body === null) return next();
    const receive = () =>
      limit(c, async () => {
        const { method } = c.req;
        const body = await c.req.raw.arrayBuffer();
        c.set("body", body);
        c.req.raw = new Request(c.req.raw, { method, body });
      });
    const read = await c.var.deadline.run(receive).then(
      (refused) => ({ refused: refused ?? undefined }),
      () => ({ refused: refuseRequest(c, INCOMPLETE) }),
    );
    return read.refused ?? next();
  });
};

const INCOMPLETE = refuse("request_aborted", "The request's body did not arrive in full.").refusal;
