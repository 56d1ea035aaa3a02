import { createHmac } from "node:crypto";
import type { Token, Touched } from "./event.ts";
import type { Labels, Places } from "./labels.ts";

/** Characters of a token: 72 bits, so that two of a million ids share one by chance in one of ten thousand cases. */
const LENGTH = 12;
/** Consecutive ids that count as neighbours. */
const NEIGHBOURS = 16;

/** The ids at a tool's labelled places, as tokens under `key`, 32 bytes or more that only this server has. */
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

/** Tokens of products, orders or tickets, in the order of their ids. */
export const objectTokens = (ids: readonly string[], key: string): Token[] =>
  ids.map((id) => keptTokenOf("object", id, key));

/** The runs of ids that a call's arguments name; tokens under `key` as above. */
export function neighbourhoodsNamed(
  { subjects, objects }: Pick<Labels, "subjects" | "objects">,
  args: unknown,
  key: string,
): Token[] {
  const ids = idsAt([...subjects.arguments, ...objects.arguments], args);
  return [...new Set(ids.flatMap(neighbourhoodOf))].map((place) => keptTokenOf("neighbourhood", place, key));
}

/** The kind is hashed too: a person and a product of one id are two things. */
export const tokenOf = (kind: string, id: string, key: string): Token =>
  createHmac("sha256", key).update(`${kind} ${id}`).digest("base64url").slice(0, LENGTH);

/** Some megabytes at most, of ids of the greatest length that is kept. */
const KEPT = 30_000;
const KEPT_LENGTH = 200;
let kept = { key: "", tokens: new Map<string, Token>() };

/** tokenOf, remembered: every page of products holds many, the same ones come up again, and an HMAC each is half of what the guard costs. */
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

/** The id's last number without its last four bits, and what stands around it; none where it has no number. */
function neighbourhoodOf(id: string): string[] {
  const [, before, digits, after] = /^(.*?)(\d{1,15})(\D*)$/s.exec(id) ?? [];
  return digits === undefined ? [] : [`${before}${Math.floor(Number(digits) / NEIGHBOURS)}${after}`];
}

/** Every string or number at the paths, each once, of any length: what is passed over here would be asked for uncounted. */
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
/** Paths stand in the tools' own labels: they are few. */
const knownSteps = new Map<string, readonly Step[]>();

/** `items[].sku` as what to look up, one behind the other. */
function stepsOf(path: string): readonly Step[] {
  const known = knownSteps.get(path);
  if (known !== undefined) return known;
  const steps = path
    .split(".")
    .map((step) => ({ name: step.replace(/\[\]$/, ""), isList: step.endsWith("[]") }));
  knownSteps.set(path, steps);
  return steps;
}
