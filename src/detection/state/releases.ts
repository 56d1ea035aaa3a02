import * as z from "zod";
import type { Token } from "../event.ts";
import type { Json, Part } from "./part.ts";

const RELEASES_MAX = 32;

const rowSchema = z.object({
  rule: z.string(),
  /** Token of the person it is about; null: anyone. */
  subject: z.string().nullable(),
  /** When a person agreed. */
  at: z.number(),
  /** When it expires. */
  until: z.number(),
  /** How much more than the rule's limit is let through, about anyone; for a budget rule, in calls. */
  allowance: z.int().nonnegative(),
});

/** A person's decision that work may pass a rule, within an allowance and for a limited time. */
export type Release = z.output<typeof rowSchema>;

export class Releases implements Part {
  readonly prefix = "r:";
  readonly changed = new Set<string>();
  readonly #held = new Map<string, Release>();
  /** The one attempt that passes some rules while it is judged. It is not stored. */
  #attempt: { seq: number; rules: readonly string[] } | undefined;

  /** Lets one attempt pass these rules. It is named by number, because several calls may share a millisecond. */
  releaseAttempt(seq: number, rules: readonly string[]): void {
    this.#attempt = rules.length === 0 ? undefined : { seq, rules };
  }

  /** Returns whether a person agreed that this attempt passes the rule. */
  isAttemptReleased(rule: string, seq: number): boolean {
    return this.#attempt?.seq === seq && this.#attempt.rules.includes(rule);
  }

  /**
   * Adds a release. An allowance adds to one still valid for the same rule and person, because agreeing again means
   * that work continues. A release without an allowance replaces it.
   */
  add(release: Release): void {
    const key = `${release.rule}/${release.subject ?? "*"}`;
    const before = release.allowance > 0 ? this.#active(key, release.at) : undefined;
    this.#held.set(key, {
      ...release,
      until: Math.max(release.until, before?.until ?? 0),
      allowance: release.allowance + (before?.allowance ?? 0),
    });
    this.changed.add(key);
    for (const [each, { until }] of this.#held) if (until <= release.at) this.#drop(each);
    while (this.#held.size > RELEASES_MAX) {
      const [soonest] = [...this.#held].reduce((a, b) =>
        b[1].until < a[1].until || (b[1].until === a[1].until && b[0] < a[0]) ? b : a,
      );
      this.#drop(soonest);
    }
  }

  #drop(key: string): void {
    this.#held.delete(key);
    this.changed.add(key);
  }

  #active(key: string, now: number): Release | undefined {
    const release = this.#held.get(key);
    return release !== undefined && now < release.until ? release : undefined;
  }

  /** Returns the releases valid now, whomever they are about. */
  active(now: number): Release[] {
    return [...this.#held.values()].filter(({ subject, until }) => subject === null && now < until);
  }

  allowance(rule: string, now: number): number {
    return this.#held.size === 0 ? 0 : (this.#active(`${rule}/*`, now)?.allowance ?? 0);
  }

  /** Returns when a person last agreed to pass the rule, or -1. */
  agreedAt(rule: string, now: number): number {
    return this.#active(`${rule}/*`, now)?.at ?? -1;
  }

  isReleased(rule: string, subject: Token, now: number): boolean {
    return this.#held.size > 0 && this.#active(`${rule}/${subject}`, now) !== undefined;
  }

  keys(): Iterable<string> {
    return this.#held.keys();
  }

  value(key: string): Json | undefined {
    return this.#held.get(key);
  }

  load(key: string, value: unknown): void {
    this.#held.set(key, rowSchema.parse(value));
  }
}
