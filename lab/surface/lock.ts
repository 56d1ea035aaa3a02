import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { breaks } from "./compatibility.ts";

// tool-definitions.json: everything that clients see, with every shape that a tool's version has ever had.
// Shapes are only added, so a client written for any of them still works, and a test can check today's
// answers against all of them.

const json = z.record(z.string(), z.unknown());
const shapeSchema = z.strictObject({ inputSchema: json, outputSchema: json, annotations: json });
const day = z.iso.date();

const toolSchema = z.strictObject({
  /** The tool's name in the policy; the entry's own name is the version's. */
  tool: z.string(),
  version: z.int().min(1),
  deprecated: z.strictObject({ since: day, until: day }).optional(),
  title: z.string(),
  description: z.string(),
  /** Every example that was ever published. */
  examples: z.array(json),
  /** Oldest first; the last one is current. */
  shapes: z.array(shapeSchema).min(1),
});
const promptSchema = z.strictObject({
  title: z.string(),
  description: z.string(),
  arguments: z.array(z.strictObject({ name: z.string(), description: z.string(), required: z.boolean() })),
});
const resourceSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  mimeType: z.string(),
});
export const lockSchema = z.strictObject({
  tools: z.record(z.string(), toolSchema),
  resources: z.record(z.string(), resourceSchema),
  resourceTemplates: z.record(z.string(), resourceSchema),
  prompts: z.record(z.string(), promptSchema),
});
export type Lock = z.output<typeof lockSchema>;
export type LockedTool = z.output<typeof toolSchema>;
type LockedShape = z.output<typeof shapeSchema>;
type LockedPrompt = z.output<typeof promptSchema>;

export const EMPTY_LOCK: Lock = { tools: {}, resources: {}, resourceTemplates: {}, prompts: {} };

/** The surface that clients see today: a lock with one shape per tool. */
export type Surface = Lock;

export interface Change {
  /** Why the change would break clients. */
  problems: string[];
  /** Names of entries that the lock does not show as they are. */
  behind: string[];
  /** The lock that matches the current surface. */
  next: Lock;
}

/** Least days between a deprecation and its last day. */
const NOTICE_DAYS = 90;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Computes the change from a lock to the current surface. `today` is a day, as YYYY-MM-DD. */
export function change(lock: Lock, surface: Surface, today: string): Change {
  const next: Lock = {
    ...surface,
    tools: mapValues(surface.tools, (tool, name) => grow(lock.tools[name], tool)),
  };
  const problems = [
    ...Object.entries(lock.tools).flatMap(([name, before]) =>
      toolProblems(name, before, surface.tools, today),
    ),
    ...Object.entries(surface.tools).flatMap(([name, tool]) => versionProblems(name, tool, lock)),
    ...gone("resource", lock.resources, surface.resources),
    ...gone("resource template", lock.resourceTemplates, surface.resourceTemplates),
    ...gone("prompt", lock.prompts, surface.prompts),
    ...Object.entries(surface.prompts).flatMap(([name, now]) =>
      promptProblems(name, lock.prompts[name], now),
    ),
  ];
  return { problems, behind: differing(lock, next), next };
}

const differing = (lock: Lock, next: Lock): string[] =>
  (["tools", "resources", "resourceTemplates", "prompts"] as const).flatMap((part) =>
    [...new Set([...Object.keys(lock[part]), ...Object.keys(next[part])])].filter(
      (name) => !isDeepStrictEqual(lock[part][name], next[part][name]),
    ),
  );

/** Adds the current shape and examples to a version's entry. */
function grow(before: LockedTool | undefined, now: LockedTool): LockedTool {
  if (before === undefined) return now;
  const [shape] = now.shapes;
  const latest = before.shapes.at(-1);
  const kept =
    latest !== undefined && shape !== undefined && isSame(latest, shape)
      ? before.shapes.slice(0, -1)
      : before.shapes;
  return { ...now, examples: union(before.examples, now.examples), shapes: [...kept, ...now.shapes] };
}

/** Compares without texts, which may change at any time. */
const isSame = (a: LockedShape, b: LockedShape): boolean =>
  isDeepStrictEqual(withoutTexts(a), withoutTexts(b));

const TEXTS = new Set(["description", "title"]);

function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== "object" || value === null) return value;
  // A property may be named like a text; its value is a schema.
  const kept = Object.entries(value).filter(([key, each]) => !(TEXTS.has(key) && typeof each === "string"));
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutTexts(each)]));
}

function toolProblems(name: string, before: LockedTool, tools: Surface["tools"], today: string): string[] {
  const now = tools[name];
  if (now === undefined) {
    if (before.deprecated !== undefined && before.deprecated.until < today) return [];
    return before.deprecated === undefined
      ? [`tool ${name} was removed, but clients call it. ${AS_PREVIOUS}`]
      : [`tool ${name} was removed, but was promised until ${before.deprecated.until}.`];
  }
  const [shape] = now.shapes;
  const broken = shape === undefined ? [] : before.shapes.flatMap((each) => breaks(each, shape));
  return [...new Set(broken)].map((reason) => `tool ${name}: ${reason}. ${AS_PREVIOUS}`);
}

const AS_PREVIOUS =
  "Raise the tool's version, and keep the old version in `previous` (docs/add-a-tool.md, Changing a tool)";

function versionProblems(name: string, { tool, version, deprecated }: LockedTool, lock: Lock): string[] {
  const locked = Object.values(lock.tools).filter((each) => each.tool === tool);
  const latest = Math.max(0, ...locked.map((each) => each.version));
  const isNew = lock.tools[name] === undefined;
  const problems: string[] = [];
  if (isNew && version !== latest + 1)
    problems.push(`tool ${name}: the next version of ${tool} must be ${latest + 1}, not ${version}`);
  if (
    deprecated !== undefined &&
    Date.parse(deprecated.until) - Date.parse(deprecated.since) < NOTICE_DAYS * DAY_MS
  )
    problems.push(
      `tool ${name}: deprecated since ${deprecated.since} until ${deprecated.until}; give clients at least ${NOTICE_DAYS} days`,
    );
  const promised = lock.tools[name]?.deprecated;
  if (promised !== undefined && (deprecated === undefined || deprecated.until < promised.until))
    problems.push(`tool ${name}: was promised until ${promised.until}; that day may only move later`);
  return problems;
}

function promptProblems(name: string, before: LockedPrompt | undefined, now: LockedPrompt): string[] {
  if (before === undefined) return [];
  const lost = before.arguments
    .filter((each) => !now.arguments.some((argument) => argument.name === each.name))
    .map((each) => `prompt ${name}: ${each.name} was removed, but clients may send it`);
  const needed = now.arguments
    .filter(
      (each) =>
        each.required && before.arguments.find((argument) => argument.name === each.name)?.required !== true,
    )
    .map((each) => `prompt ${name}: ${each.name} is now required, but clients may leave it out`);
  return [...lost, ...needed].map((reason) => `${reason}. Give the changed prompt a new name`);
}

const gone = (what: string, before: object, now: object): string[] =>
  Object.keys(before)
    .filter((name) => !Object.hasOwn(now, name))
    .map((name) => `${what} ${name} was removed, but clients use it`);

/** Returns a line that says how to update a lock that is behind; empty if there are other problems. */
export const behindProblems = ({ problems, behind }: Change): string[] =>
  behind.length === 0 || problems.length > 0
    ? []
    : [
        `tool-definitions.json differs from the code in ${behind.join(", ")}. Run npx product-catalog-mcp lab surface --write, review the difference and commit it.`,
      ];

/** Returns what an earlier committed lock holds and this one lacks: shapes and examples are only added. */
export function rewritten(earlier: Lock, lock: Lock): string[] {
  return Object.entries(earlier.tools).flatMap(([name, before]) => {
    const now = lock.tools[name];
    // `change` reports whether a missing version was allowed to go.
    if (now === undefined)
      return before.deprecated === undefined ? [`tool ${name} was removed from the lock`] : [];
    const shapes = before.shapes.filter((shape) => !now.shapes.some((each) => isSame(each, shape)));
    const examples = union(now.examples, before.examples).length - now.examples.length;
    return [
      ...(shapes.length > 0
        ? [`tool ${name}: a shape that clients have seen was removed from the lock`]
        : []),
      ...(examples > 0 ? [`tool ${name}: an example was removed from the lock`] : []),
    ];
  });
}

const union = <T>(first: readonly T[], second: readonly T[]): T[] => [
  ...first,
  ...second.filter((each) => !first.some((known) => isDeepStrictEqual(known, each))),
];

const mapValues = <T, U>(record: Record<string, T>, map: (value: T, name: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
