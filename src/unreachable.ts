import * as z from "zod";

/** A Durable Object could not be reached or did not answer in time. */
export class Unreachable extends Error {
  override name: string = "Unreachable";
}

/** Returns the error to log: the cause if the object was unreachable. */
export const causeOf = (error: unknown): unknown => (error instanceof Unreachable ? error.cause : error);

const flags = z.object({
  retryable: z.boolean().optional(),
  overloaded: z.boolean().optional(),
  remote: z.boolean().optional(),
  durableObjectReset: z.boolean().optional(),
});

/** Whether an object was reset, for example by a deployment, so that a new stub reaches it. */
export const wasReset = (error: unknown): boolean =>
  !hasFlag(error, "overloaded") && hasFlag(error, "durableObjectReset");

/** Returns whether the runtime marked an error with this flag. */
export function hasFlag(error: unknown, flag: keyof z.output<typeof flags>): boolean {
  return flags.safeParse(error).data?.[flag] === true;
}
