import { createHmac } from "node:crypto";
import type { Token, Touched } from "./event.ts";
import type { Labels, Places } from "./labels.ts";

/**
 * Characters of a token: 72 bits. In a set of a million ids, two share a token with a chance of one in ten thousand.
 */
const LENGTH = 12;
/** Consecutive ids that count as neighbours. */
const NEIGHBOURS = 16;

/**
 * Returns the ids at a tool's labelled places as tokens under `key`, which has 32 bytes or more and never leaves this
 * server.
 */
export function touchedBy(
  labels: Pick<Labels, "subjects" | "objects">,
  side: keyof Places,
  value: unknown,
  key: string,
): Touched {
  return {
    subjects: idsAt(labels.subjects[side] ?? [], value).map((id) => tokenOf("subject", id, key)),
    objects: objectTokens(idsAt(labels.objects[side] ?? [], value), key),
  };
}

/** Returns tokens of products, orders or tickets, in the order of their ids. */
export const objectTokens = (ids: readonly string[], key: string): Token[] =>
  ids.map((id) => keptTokenOf("object", id, key));

/** Returns the runs of ids that a call's arguments name, as tokens under `key`. */
export function neighbourhoodsNamed(
  { subjects, objects }: Pick<Labels, "subjects" | "objects">,
  args: unknown,
  key: string,
): Token[] {
  const ids = idsAt([...subjects.arguments, ...objects.arguments], args);
  return [...new Set(ids.flatMap(neighbourhoodOf))].map((place) => keptTokenOf("neighbourhood", place, key));
}

/** Hashes the kind too, so a person and a product with the same id get different tokens. */
export const tokenOf = (kind: string, id: string, key: string): Token =>
  createHmac("sha256", key).update(`${kind} ${id}`).digest("base64url").slice(0, LENGTH);

/** Bounds of the cache: a few megabytes at most. */
const KEPT = 30_000;
const KEPT_LENGTH = 200;
let kept = { key: "", tokens: new Map<string, Token>() };

/**
 * A cached `tokenOf`: every page of products holds many ids, the same ones recur, and an HMAC each is half of the
 * guard's cost.
 */
export function keptTokenOf(kind: string, id: string, key: string): Token {
  if (kept.key !== key || kept.tokens.size >= KEPT) kept = { key, tokens: new Map() };
  if (id.length > KEPT_LENGTH) return tokenOf(kind, id, key);
  const name = `${kind} ${id}`;
  const known = kept.tokens.get(name);
  if (known !== undefined) return known;
  const token = tokenOf(kind, id, key);
  kept.tokens.set(name, token);
  return token;
}

/** Returns the id's last number without its low four bits, with the text around it; nothing if the id has no number. */
function neighbourhoodOf(id: string): string[] {
  const [, before, digits, after] = /^(.*?)(\d{1,15})(\D*)$/s.exec(id) ?? [];
  return digits === undefined ? [] : [`${before}${Math.floor(Number(digits) / NEIGHBOURS)}${after}`];
}

/**
 * Returns every string or number at the paths, without duplicates and of any length: a skipped id would go uncounted.
 */
function idsAt(paths: readonly string[], value: unknown): string[] {
  const ids = new Set<string>();
  for (const path of paths) collectIds(stepsOf(path), 0, value, ids);
  return [...ids];
}

function collectIds(steps: readonly Step[], at: number, value: unknown, into: Set<string>): void {
  const step = steps[at];
  if (step === undefined) {
    if (typeof value === "number" || typeof value === "string") into.add(String(value));
    return;
  }
  const { name, isList } = step;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return;
  const next: unknown = Reflect.get(value, name);
  if (!isList) collectIds(steps, at + 1, next, into);
  else if (Array.isArray(next)) for (const item of next) collectIds(steps, at + 1, item, into);
}

interface Step {
  name: string;
  isList: boolean;
}
/** Cached without a bound: paths come from the tools' own labels, so there are few. */
const knownSteps = new Map<string, readonly Step[]>();

/** Splits a path such as `items[].sku` into the steps of a lookup. */
function stepsOf(path: string): readonly Step[] {
  const known = knownSteps.get(path);
  if (known !== undefined) return known;
  const steps = path
    .split(".")
    .map((step) => ({ name: step.replace(/\[\]$/, ""), isList: step.endsWith("[]") }));
  knownSteps.set(path, steps);
  return steps;
}
