import { env } from "cloudflare:workers";
import type { AdmissionRequest } from "../../../src/caller/admission.ts";

export const WINDOW_MS = 60_000;
export const DAY_MS = 24 * 60 * 60 * 1000;

type Changes = Omit<Partial<AdmissionRequest>, "attempt"> & {
  attempt?: Partial<AdmissionRequest["attempt"]>;
};

/** The guard's request to a caller's object for one public call; a test changes the fields it is about. */
export const admission = (principal: string, { attempt, ...changes }: Changes = {}): AdmissionRequest => ({
  principal,
  refused: {},
  limit: { max: 5, windowMs: WINDOW_MS },
  retentionMs: DAY_MS,
  attempt: {
    target: "tool",
    name: "list_categories",
    bucket: "calls",
    weight: 1,
    roles: ["shopper"],
    digest: "digest",
    arguments: "{}",
    protocol: "2026-07-28",
    client: "test/1",
    // A second call with the same id is a retry.
    correlation_id: crypto.randomUUID(),
    flow: null,
    catalog_size: 0,
    ...attempt,
  },
  ...changes,
});

export const settlement = (attempt: number) => ({
  attempt,
  outcome: "ok",
  records: 1,
  bytes: 10,
  duration_ms: 1,
  flow: null,
});

/** Creates an object for one test. */
export function newObject() {
  const principal = `object-${crypto.randomUUID()}`;
  return { principal, object: env.USER_WINDOWS.getByName(principal) };
}
