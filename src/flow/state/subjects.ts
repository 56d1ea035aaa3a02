import * as z from "zod";
import type { Token } from "../event.ts";
import { type DataClass, PERSONAL_CLASSES } from "../labels.ts";
import { DAY, inWindow } from "../window.ts";
import type { Evicted } from "./evicted.ts";
import type { Json, Part } from "./part.ts";

/** People held apart. Past that the one touched longest ago is forgotten, and counted as forgotten. */
export const SUBJECTS_MAX = 64;
/** How long a person stays known. Read again after that, it counts as newly read. */
export const KNOWN_MS = DAY;

/** What is known of one person. Times are of the epoch in ms, 0 for never. */
export interface Subject {
  /** When each of PERSONAL_CLASSES was first read; a reading KNOWN_MS later is a first one again. */
  gathered: number[];
  /** The last call about the person. */
  seen: number;
  /** Attempt of the last first reading. */
  attempt: number;
  /** By sequence rule: for each step the latest start of a match that got so far (src/flow/kinds/sequence.ts). */
  progress: Map<string, number[]>;
}

const time = z.number().nonnegative();
const rowSchema = z.object({
  gathered: z.array(time).length(PERSONAL_CLASSES.length),
  seen: time,
  attempt: z.int(),
  progress: z.array(z.tuple([z.string(), z.array(time)])).optional(),
});

export function classIndexes(classes: readonly DataClass[]): number[] {
  const indexes = [];
  for (let index = 0; index < PERSONAL_CLASSES.length; index++) {
    const each = PERSONAL_CLASSES[index];
    if (each !== undefined && classes.includes(each)) indexes.push(index);
  }
  return indexes;
}

/** The people whose data a caller read in the last day. */
export class Subjects implements Part {
  readonly prefix = "s:";
  readonly changed = new Set<string>();
  readonly rows = new Map<Token, Subject>();
  readonly #evicted: Evicted;

  constructor(evicted: Evicted) {
    this.#evicted = evicted;
  }

  /** When any of the classes was first read of the person; 0 where it is not known any more. */
  static firstRead({ gathered }: Subject, indexes: readonly number[], now: number): number {
    let first = 0;
    for (const index of indexes) {
      const at = gathered[index] ?? 0;
      if (inWindow(at, now, KNOWN_MS) && (first === 0 || at < first)) first = at;
    }
    return first;
  }

  /** Notes that the classes were read of the person. */
  read(token: Token, indexes: readonly number[], now: number, attempt: number): Subject {
    const row = this.#touch(token, now);
    for (const index of indexes) {
      if (inWindow(row.gathered[index] ?? 0, now, KNOWN_MS)) continue;
      row.gathered[index] = now;
      row.attempt = attempt;
    }
    this.changed.add(token);
    return row;
  }

  #touch(token: Token, now: number): Subject {
    const known = this.rows.get(token);
    if (known !== undefined) {
      known.seen = Math.max(known.seen, now);
      return known;
    }
    if (this.rows.size >= SUBJECTS_MAX) this.#forgetOne(now);
    const row = {
      gathered: PERSONAL_CLASSES.map(() => 0),
      seen: now,
      attempt: 0,
      progress: new Map<string, number[]>(),
    };
    this.rows.set(token, row);
    return row;
  }

  /** The order of the map depends on what was loaded when, so it may not decide who goes: the token does. */
  #forgetOne(now: number): void {
    let [oldest, oldestSeen] = ["", Infinity];
    for (const [token, { seen }] of this.rows) {
      if (seen < oldestSeen || (seen === oldestSeen && token < oldest)) [oldest, oldestSeen] = [token, seen];
    }
    this.rows.delete(oldest);
    this.changed.add(oldest);
    if (inWindow(oldestSeen, now, KNOWN_MS)) this.#evicted.add(oldestSeen, now);
  }

  prune(now: number): void {
    for (const [token, { seen }] of this.rows) {
      if (inWindow(seen, now, KNOWN_MS)) continue;
      this.rows.delete(token);
      this.changed.add(token);
    }
  }

  keys = () => this.rows.keys();

  value(token: string): Json | undefined {
    const row = this.rows.get(token);
    if (row === undefined) return undefined;
    const { progress, gathered, ...rest } = row;
    return {
      ...rest,
      gathered: [...gathered],
      ...(progress.size > 0 && { progress: [...progress].map(([key, starts]) => [key, [...starts]]) }),
    };
  }

  load(token: string, value: Json): void {
    const { progress = [], ...row } = rowSchema.parse(value);
    this.rows.set(token, { ...row, progress: new Map(progress) });
  }
}
