import * as z from "zod";
import type { Token } from "../event.ts";
import { type DataClass, PERSONAL_CLASSES } from "../labels.ts";
import { type Rule, ruleKey } from "../rules.ts";
import { DAY, inWindow } from "../window.ts";
import type { Evicted } from "./evicted.ts";
import type { Json, Part } from "./part.ts";

/** People held apart. Beyond that, the person touched longest ago is evicted and counted as evicted. */
export const SUBJECTS_MAX = 40;
/** Milliseconds that a person stays known. A reading after that counts as a new one. */
export const KNOWN_MS = DAY;

/**
 * Facts about one person in one array of numbers, which takes a third of the memory of objects: when the last call
 * about the person was, the attempt of the latest first reading, how that reading is explained, when each of
 * PERSONAL_CLASSES was first read (a reading KNOWN_MS later is a first one again), and for each step of each sequence
 * rule the latest start of a match that reached it. Times are milliseconds since the epoch, 0 for never.
 */
export type Person = number[];
const SEEN = 0;
const ATTEMPT = 1;
const EXPLAINED = 2;
const GATHERED = 3;
const STARTS = GATHERED + PERSONAL_CLASSES.length;

export const seenAt = (person: Person): number => person[SEEN] ?? 0;
export const attemptOf = (person: Person): number => person[ATTEMPT] ?? 0;
/** Explanations of a first reading, as they are stored. An email address is the weaker one: lists of them are stolen. */
export const EXPLANATION = { none: 0, found: 1, byEmail: 2 } as const;
export type Explanation = (typeof EXPLANATION)[keyof typeof EXPLANATION];
export const explanationOf = (person: Person): number => person[EXPLAINED] ?? EXPLANATION.none;
export const gatheredAt = (person: Person, index: number): number => person[GATHERED + index] ?? 0;

/** Returns when any of the classes was first read of the person, or 0 if that has expired. */
export function firstRead(person: Person, indexes: readonly number[], now: number): number {
  let first = 0;
  for (const index of indexes) {
    const at = gatheredAt(person, index);
    if (inWindow(at, now, KNOWN_MS) && (first === 0 || at < first)) first = at;
  }
  return first;
}

export function classIndexes(classes: readonly DataClass[]): number[] {
  const indexes = [];
  for (let index = 0; index < PERSONAL_CLASSES.length; index++) {
    const each = PERSONAL_CLASSES[index];
    if (each !== undefined && classes.includes(each)) indexes.push(index);
  }
  return indexes;
}

const time = z.number().nonnegative();
const rowSchema = z.object({
  seen: time,
  attempt: z.int(),
  /** Rows from before explanations were kept count as explained. */
  explained: z.int().default(EXPLANATION.found),
  gathered: z.array(time).length(PERSONAL_CLASSES.length),
  /** By the key of the sequence rule. */
  starts: z.record(z.string(), z.array(time)),
});

/** The people whose data a caller read in the last day. */
export class Subjects implements Part {
  readonly prefix = "s:";
  readonly changed = new Set<string>();
  readonly rows = new Map<Token, Person>();
  readonly #evicted: Evicted;
  /** Offsets in a person at which the steps of each sequence rule stand. */
  readonly #sequences: readonly { key: string; from: number; steps: number }[];
  readonly #width: number;

  constructor(evicted: Evicted, rules: readonly Rule[]) {
    this.#evicted = evicted;
    let from = STARTS;
    this.#sequences = rules.flatMap((rule) => {
      if (rule.kind !== "sequence" || rule.per !== "subject") return [];
      from += rule.steps.length;
      return [{ key: ruleKey(rule), from: from - rule.steps.length, steps: rule.steps.length }];
    });
    this.#width = from;
  }

  /** Notes that the classes were read of the person. */
  read(token: Token, indexes: readonly number[], now: number, attempt: number): void {
    const person = this.#touch(token, now);
    for (const index of indexes) {
      if (inWindow(gatheredAt(person, index), now, KNOWN_MS)) continue;
      person[GATHERED + index] = now;
      person[ATTEMPT] = attempt;
    }
  }

  /** Notes how the first reading of a person is explained. */
  explain(token: Token, explanation: Explanation, now: number): void {
    this.#touch(token, now)[EXPLAINED] = explanation;
  }

  /** Returns the starts of a sequence rule's steps; an empty list if the person is unknown. */
  startsOf(token: Token, rule: string): number[] {
    const place = this.#sequences.find(({ key }) => key === rule);
    return place === undefined
      ? []
      : (this.rows.get(token)?.slice(place.from, place.from + place.steps) ?? []);
  }

  setStarts(token: Token, rule: string, starts: readonly number[], now: number): void {
    const place = this.#sequences.find(({ key }) => key === rule);
    if (place === undefined) return;
    const person = this.#touch(token, now);
    for (let step = 0; step < place.steps; step++) person[place.from + step] = starts[step] ?? 0;
  }

  /** Returns a reader of the start of the latest completed match of a sequence rule. */
  completedAt(rule: string): (person: Person) => number {
    const place = this.#sequences.find(({ key }) => key === rule);
    return place === undefined ? () => 0 : (person) => person[place.from + place.steps - 1] ?? 0;
  }

  #touch(token: Token, now: number): Person {
    this.changed.add(token);
    const known = this.rows.get(token);
    if (known !== undefined) {
      known[SEEN] = Math.max(known[SEEN] ?? 0, now);
      return known;
    }
    if (this.rows.size >= SUBJECTS_MAX) this.#forgetOne(now);
    // The fraction makes the engine hold plain doubles instead of objects.
    const person = [0.5, ...Array.from({ length: this.#width - 1 }, () => 0)];
    person[SEEN] = now;
    this.rows.set(token, person);
    return person;
  }

  /** Ties are broken by token, because the order of the map depends on the order of loading. */
  #forgetOne(now: number): void {
    let [oldest, oldestSeen] = ["", Infinity];
    for (const [token, person] of this.rows) {
      const seen = seenAt(person);
      if (seen < oldestSeen || (seen === oldestSeen && token < oldest)) [oldest, oldestSeen] = [token, seen];
    }
    this.rows.delete(oldest);
    this.changed.add(oldest);
    if (inWindow(oldestSeen, now, KNOWN_MS)) this.#evicted.add(oldestSeen, now);
  }

  prune(now: number): void {
    for (const [token, person] of this.rows) {
      if (inWindow(seenAt(person), now, KNOWN_MS)) continue;
      this.rows.delete(token);
      this.changed.add(token);
    }
  }

  keys(): Iterable<string> {
    return this.rows.keys();
  }

  value(token: string): Json | undefined {
    const person = this.rows.get(token);
    if (person === undefined) return undefined;
    return {
      seen: seenAt(person),
      attempt: attemptOf(person),
      explained: explanationOf(person),
      gathered: person.slice(GATHERED, STARTS),
      starts: Object.fromEntries(this.#sequences.map(({ key }) => [key, this.startsOf(token, key)])),
    };
  }

  load(token: string, value: unknown): void {
    const { seen, attempt, explained, gathered, starts } = rowSchema.parse(value);
    const steps = this.#sequences.flatMap((place) =>
      Array.from({ length: place.steps }, (_, step) => starts[place.key]?.[step] ?? 0),
    );
    this.rows.set(token, [seen, attempt, explained, ...gathered, ...steps]);
  }
}
