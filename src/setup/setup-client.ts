import { Unreachable, wasReset } from "../unreachable.ts";
import { RequestOver, within } from "../deadlines.ts";
import type { ServerSetup } from "./server-setup.ts";

/** The one object's name. */
const NAME = "setup";
/** Milliseconds after which the object counts as unreachable. */
const DEADLINE_MS = 3_000;

export const setupObject = ({ SERVER_SETUP }: Pick<Env, "SERVER_SETUP">): DurableObjectStub<ServerSetup> =>
  SERVER_SETUP.getByName(NAME);

/**
 * Calls the setup object; `wait` is the request's deadline. A deployment resets the object, and a new stub reaches it again.
 * Throws Unreachable if it does not answer in time, and RequestOver once the request's time is up.
 */
export async function reachSetup<T>(
  env: Pick<Env, "SERVER_SETUP">,
  ask: (setup: DurableObjectStub<ServerSetup>) => Promise<T>,
  wait: typeof within = within,
): Promise<T> {
  const once = () => wait(DEADLINE_MS, async () => ask(setupObject(env)));
  try {
    return await once().catch((error: unknown) => (wasReset(error) ? once() : Promise.reject(error)));
  } catch (error) {
    if (error instanceof RequestOver) throw error;
    throw new Unreachable("The setup object can't be reached.", { cause: error });
  }
}
