import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { breaks } from "./compatibility.ts";

// tool-definitions.json: all that clients see, with every shape that a tool's version has ever had. Shapes are
// only added, so a client that was written for any of them still works, and a test can hold today's answers
// against all of them.

const json = z.record(z.string(), z.unknown());
const shapeSchema = z.strictObject({ inputSchema: json, outputSchema: json, annotations: json });
const day = z.iso.date();

const toolSchema = z.strictObject({
  /** As the policy knows the tool; the entry's own name is the version's. */
  tool: z.string(),
  version: z.int().min(1),
  deprecated: z.strictObject({ since: day, until: day }).optional(),
  title: z.string(),
  description: z.string(),
  /** Every example that was ever given. */
  examples: z.array(json),
  /** The oldest first; the last one is today's. */
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

/** What clients see today: a lock whose tools have one shape each. */
export type Surface = Lock;

export interface Change {
  /** Why the change would break clients. */
  problems: string[];
  /** Names of what the lock does not show as it is. */
  behind: string[];
  /** The lock that goes with today's surface. */
  next: Lock;
}

/** Days between a deprecation and the last day of it, at the least. */
const NOTICE_DAYS = 90;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Goes from a lock to today's surface. `today` is a day, as YYYY-MM-DD. */
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

/** A version's entry with today's shape and examples behind those that it had. */
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

/** The same but for its texts, which may change at any time. */
const isSame = (a: LockedShape, b: LockedShape): boolean =>
  isDeepStrictEqual(withoutTexts(a), withoutTexts(b));

function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== "object" || value === null) return value;
  // A property may be named `description`; its value is a schema.
  const kept = Object.entries(value).filter(
    ([key, each]) => !(key === "description" && typeof each === "string"),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutTexts(each)]));
}

function toolProblems(name: string, before: LockedTool, tools: Surface["tools"], today: string): string[] {
  const now = tools[name];
  if (now === undefined) {
    if (before.deprecated !== undefined && before.deprecated.until < today) return [];
    return before.deprecated === undefined
      ? [`tool ${name} is gone, and clients call it. ${AS_PREVIOUS}`]
      : [`tool ${name} is gone, and was promised until ${before.deprecated.until}.`];
  }
  const [shape] = now.shapes;
  const broken = shape === undefined ? [] : before.shapes.flatMap((each) => breaks(each, shape));
  return [...new Set(broken)].map((reason) => `tool ${name}: ${reason}. ${AS_PREVIOUS}`);
}

const AS_PREVIOUS =
  "Raise the tool's version, and keep the version before it in `previous` (docs/add-a-tool.md, Changing a tool)";

function versionProblems(name: string, { tool, version, deprecated }: LockedTool, lock: Lock): string[] {
  const locked = Object.values(lock.tools).filter((each) => each.tool === tool);
  const latest = Math.max(0, ...locked.map((each) => each.version));
  const isNew = lock.tools[name] === undefined;
  const problems: string[] = [];
  if (isNew && version !== latest + 1)
    problems.push(`tool ${name}: a new version of ${tool} is ${latest + 1}, not ${version}`);
  if (
    deprecated !== undefined &&
    Date.parse(deprecated.until) - Date.parse(deprecated.since) < NOTICE_DAYS * DAY_MS
  )
    problems.push(
      `tool ${name}: deprecated since ${deprecated.since} until ${deprecated.until}: give clients ${NOTICE_DAYS} days`,
    );
  const promised = lock.tools[name]?.deprecated;
  if (promised !== undefined && (deprecated === undefined || deprecated.until < promised.until))
    problems.push(`tool ${name}: was promised until ${promised.until}; the day may only move on`);
  return problems;
}

function promptProblems(name: string, before: LockedPrompt | undefined, now: LockedPrompt): string[] {
  if (before === undefined) return [];
  const lost = before.arguments
    .filter((each) => !now.arguments.some((argument) => argument.name === each.name))
    .map((each) => `prompt ${name}: ${each.name} is gone, and clients may send it`);
  const needed = now.arguments
    .filter(
      (each) =>
        each.required && before.arguments.find((argument) => argument.name === each.name)?.required !== true,
    )
    .map((each) => `prompt ${name}: ${each.name} is required now, and clients may leave it out`);
  return [...lost, ...needed].map((reason) => `${reason}. Give the changed prompt a new name`);
}

const gone = (what: string, before: object, now: object): string[] =>
  Object.keys(before)
    .filter((name) => !Object.hasOwn(now, name))
    .map((name) => `${what} ${name} is gone, and clients ask for it`);

/** What to do about a lock that is behind. */
export const behindProblems = ({ problems, behind }: Change): string[] =>
  behind.length === 0 || problems.length > 0
    ? []
    : [
        `tool-definitions.json does not show ${behind.join(", ")} as in the code. Write it, look at the difference and commit it: npm run -s surface -- --write`,
      ];

/** What a lock that was committed before held, and the present one does not: shapes and examples are only added. */
export function rewritten(earlier: Lock, lock: Lock): string[] {
  return Object.entries(earlier.tools).flatMap(([name, before]) => {
    const now = lock.tools[name];
    // Whether a version may be gone, `change` has said when it went.
    if (now === undefined)
      return before.deprecated === undefined ? [`tool ${name} was taken out of the lock`] : [];
    const shapes = before.shapes.filter((shape) => !now.shapes.some((each) => isSame(each, shape)));
    const examples = union(now.examples, before.examples).length - now.examples.length;
    return [
      ...(shapes.length > 0
        ? [`tool ${name}: a shape that clients were shown was taken out of the lock`]
        : []),
      ...(examples > 0 ? [`tool ${name}: an example was taken out of the lock`] : []),
    ];
  });
}

const union = <T>(first: readonly T[], second: readonly T[]): T[] => [
  ...first,
  ...second.filter((each) => !first.some((known) => isDeepStrictEqual(known, each))),
];

const mapValues = <T, U>(record: Record<string, T>, map: (value: T, name: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
