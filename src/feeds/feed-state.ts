import * as z from "zod";
import { optionsSchema } from "./options.ts";
import { questionSchema, reportSchema } from "./report.ts";

const validatorsSchema = z.object({ etag: z.string().nullable(), modified: z.string().nullable() });

/** A delivery that is fetched or read now, or that waits for a person. Times are milliseconds since the epoch. */
const deliverySchema = z.object({
  id: z.string(),
  startedAt: z.int(),
  /** `receiving`: the pieces of an upload arrive. `held`: a person decides. */
  phase: z.enum(["receiving", "fetching", "reading", "held"]),
  /** When the next step is due. */
  dueAt: z.int(),
  /** Failed attempts to get a readable file. */
  fetches: z.int(),
  /** Failed attempts of D1, and restarts after the object was reset. */
  starts: z.int(),
  digest: z.string().nullable(),
  validators: validatorsSchema.nullable(),
  /** Why the last attempt failed. */
  problem: z.string().nullable().default(null),
  approvedBy: z.string().nullable(),
  report: reportSchema.nullable(),
  question: questionSchema.nullable(),
});
export type Delivery = z.output<typeof deliverySchema>;

/** Everything that a feed's or an upload's object keeps, except bytes and messages. */
export const feedStateSchema = z.object({
  id: z.string(),
  kind: z.enum(["feed", "upload"]),
  /** The URL without its query and credentials, or the file's name. */
  name: z.string(),
  /** The whole URL, sealed; null for an upload. */
  sealedUrl: z.string().nullable(),
  options: optionsSchema,
  everyMinutes: z.int(),
  createdAt: z.int(),
  createdBy: z.string(),
  pausedAt: z.int().nullable(),
  checkedAt: z.int().nullable(),
  nextAt: z.int().nullable(),
  /** About the last delivery that was applied. */
  applied: z.object({ digest: z.string(), validators: validatorsSchema, rows: z.int() }).nullable(),
  current: deliverySchema.nullable(),
  held: deliverySchema.nullable(),
  /** Whether it was removed, and only its row in D1 and its storage are left. */
  removed: z.boolean().default(false),
});
export type FeedState = z.output<typeof feedStateSchema>;

export const newDelivery = (id: string, phase: Delivery["phase"], now: number): Delivery => ({
  id,
  startedAt: now,
  phase,
  dueAt: now,
  fetches: 0,
  starts: 0,
  digest: null,
  validators: null,
  problem: null,
  approvedBy: null,
  report: null,
  question: null,
});

/** Milliseconds before a failed delivery is fetched again. A delivery that the next regular one would overtake fails at once. */
const REFETCH_MS = [5 * 60_000, 30 * 60_000, 2 * 60 * 60_000];

/** When to fetch again; undefined if the delivery has failed. */
export function refetchAt({ fetches }: Delivery, nextAt: number | null, now: number): number | undefined {
  const wait = REFETCH_MS[fetches - 1];
  if (wait === undefined || (nextAt !== null && now + wait >= nextAt)) return undefined;
  return now + wait;
}

/** When to go on after D1 failed or the object was reset; undefined if it has happened too often. */
const STARTS_MAX = 12;
const RESTART_MAX_MS = 10 * 60_000;
export const restartAt = ({ starts }: Delivery, now: number): number | undefined =>
  starts > STARTS_MAX ? undefined : now + Math.min(RESTART_MAX_MS, 5_000 * 2 ** (starts - 1));
