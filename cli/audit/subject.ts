import { InvalidArgumentError } from "commander";
import * as z from "zod";
import { DAY } from "../../src/detection/window.ts";
import { customerIdSchema } from "../../src/support/ids.ts";
import { plural } from "../../src/web/admin/units.ts";
import { plainTable } from "../table.ts";

/** One caller's calls of one kind about a customer on one day. */
const readingSchema = z.object({
  principal: z.string(),
  call: z.string(),
  times: z.int(),
  first_at: z.int(),
  last_at: z.int(),
});
export const readingsSchema = z.object({ readings: z.array(readingSchema), next: z.string().nullable() });
export const erasedSchema = z.object({ erased: z.int(), audit_days: z.int() });

/** The days of a caller's calls about a customer, for people and for JSON. */
export interface SubjectReading {
  /** Such as 2026-07-28, in UTC. */
  day: string;
  principal: string;
  call: string;
  times: number;
  first_at: string;
  last_at: string;
}

/** The day of a time, in UTC. */
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Parses the id of a customer. */
export function customerId(text: string): string {
  const { data } = customerIdSchema.safeParse(text);
  if (data === undefined) throw new InvalidArgumentError("It must look like C-10042.");
  return data;
}

export const subjectReading = ({
  first_at,
  last_at,
  ...row
}: z.output<typeof readingSchema>): SubjectReading => ({
  day: dayOf(first_at),
  ...row,
  first_at: new Date(first_at).toISOString(),
  last_at: new Date(last_at).toISOString(),
});

const LATE = "Calls of the last two minutes may be missing.";

/** Returns a table of who read a customer, the latest first, with a line that adds it up. */
export function readingsText(customer: string, readings: readonly SubjectReading[]): string {
  if (readings.length === 0) return `Nobody read ${customer}. ${LATE}`;
  const table = plainTable(["day (UTC)", "principal", "call", "times", "first", "last"]);
  for (const { day, principal, call, times, first_at, last_at } of readings)
    table.push([day, principal, call, times, first_at.slice(11, 19), last_at.slice(11, 19)]);
  const calls = readings.reduce((sum, { times }) => sum + times, 0);
  const callers = new Set(readings.map(({ principal }) => principal)).size;
  const days = new Set(readings.map(({ day }) => day)).size;
  return `${table.toString()}\n${plural(calls, "call")} by ${plural(callers, "caller")} on ${plural(days, "day")}. ${LATE}`;
}

/** Parts of the audit that an erasure leaves, and why. `until` is the last day on which they exist, in UTC. */
export const staysAfter = (auditDays: number, now: number) => [
  {
    what: "the calls in the callers' chains",
    why:
      "A chain whose records can be changed proves nothing. They name the customer only by a keyed hash and hold no answer; " +
      "without the customer's id and this server's SECRET_KEY, nobody can tell whose hash it is.",
    until: dayOf(now + auditDays * DAY),
  },
  {
    what: "the fact of this erasure, with its time and your user id, under the same hash",
    why: "Otherwise calls that are not written to the list yet would bring it back.",
    until: dayOf(now + auditDays * DAY),
  },
];

/** Copies that no command of this server reaches. */
export const ELSEWHERE =
  "Not in the audit: the customer's record in the support desk, and exports that you keep. Delete those there.";
