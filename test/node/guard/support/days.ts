import { isRefused } from "../../../../src/detection/decision.ts";
import { type Detector, admit, detectorOf, settle } from "../../../../src/detection/detector.ts";
import { describeArguments } from "../../../../src/detection/describe.ts";
import { NETWORK, SHARED } from "../../../../src/detection/event.ts";
import { FlowState } from "../../../../src/detection/state/state.ts";
import { objectTokens } from "../../../../src/detection/tokens.ts";
import { crowdedPage, noteProducts, takeDiscovery } from "../../../../src/guard/anonymous-callers.ts";
import { anonymous } from "../../../../src/identity/principal.ts";
import { discoveryTarget, toolTarget, toolsByName } from "../../../../src/mcp/targets.ts";
import { limitOf, weightOf } from "../../../../src/policy/roles.ts";
import type { Policy } from "../../../../src/policy/schema.ts";
import {
  type SlidingWindow,
  charge,
  emptyWindow,
  fitsAt,
} from "../../../../src/caller/rate/sliding-window.ts";

// A day of many people, by the very functions that the guard and the callers' objects run, with the time passed in.

const KEY = "a secret of thirty-two bytes or more";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WORK_MS = 9 * HOUR;

/** Somebody at work: without a name known by the address, which others may share. */
export interface Person {
  address: string;
  network: string;
  user?: string;
}

interface GuardedCall {
  at: number;
  person: Person;
  tool: string;
  args: object;
  /** SKUs that the answer holds. */
  found: readonly string[];
}

/** Numbers in [0, 1), the same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * One session: the client connects; its person searches, looks at two of the products found, compares three at the same
 * moment, and asks for their stock. Some searches are far more wanted than others.
 */
function session(person: Person, begins: number, catalog: number, roll: () => number): GuardedCall[] {
  const searches = catalog / 10;
  const wanted = Math.floor(searches * roll() ** 2);
  const page = Array.from({ length: 10 }, (_, index) => `SKU-${(wanted * 7 + index * index * 13) % catalog}`);
  const pick = () => page[Math.floor(page.length * roll() ** 2)] ?? "";
  let at = begins;
  const asked: GuardedCall[] = [];
  const ask = (tool: string, args: object, found: readonly string[]) =>
    asked.push({ at, person, tool, args, found });
  const think = () => (at += 5_000 + 25_000 * roll());
  for (const method of ["initialize", "tools/list", "prompts/list", "resources/list"]) ask(method, {}, []);
  think();
  ask("search_products", { query: `wanted ${wanted}` }, page);
  for (let look = 0; look < 2; look++) {
    think();
    const sku = pick();
    ask("get_product", { sku }, [sku]);
  }
  think();
  const compared = [...new Set([pick(), pick(), pick()])];
  for (const sku of compared) ask("get_product", { sku }, [sku]);
  ask("query_stock", { skus: compared }, compared);
  return asked;
}

interface Day {
  /** Pieces of work of each person, spread over the day. */
  sessions: number;
  /** Hours after which everybody has a question within a minute, such as at the end of a meeting. */
  together?: readonly number[];
  catalog: number;
  seed: number;
  begins: number;
}

/** A working day, in order of time. */
export function dayOf(
  people: readonly Person[],
  { sessions, together = [], catalog, seed, begins }: Day,
): GuardedCall[] {
  const roll = dice(seed);
  const visits = people.flatMap((person) => [
    ...Array.from({ length: sessions }, () => ({ person, at: roll() * WORK_MS })),
    ...together.map((hour) => ({ person, at: hour * HOUR + roll() * MINUTE })),
  ]);
  return visits
    .flatMap(({ person, at }) => session(person, begins + at, catalog, roll))
    .toSorted((a, b) => a.at - b.at);
}

interface Counted {
  windows: Record<"calls" | "discovery", SlidingWindow>;
  state: FlowState;
}

/** Whatever a policy refuses of a day, or answers with a smaller page: `<who> <tool> <why>` each. */
export function touchedBy(policy: Policy, day: readonly GuardedCall[], catalog: number): string[] {
  const detector = detectorOf(policy.rules);
  const callers = new Map<string, Counted>();
  const counted = (name: string): Counted => {
    const known = callers.get(name) ?? {
      windows: { calls: emptyWindow(), discovery: emptyWindow() },
      state: new FlowState(detector.rules),
    };
    callers.set(name, known);
    return known;
  };
  const touched: string[] = [];
  for (const [index, asked] of day.entries()) {
    const { person, at, tool } = asked;
    const id = person.user ?? person.address;
    const note = (why: string) => void touched.push(`${id} ${tool} ${why}`);
    const principal = anonymous(id, person.network);
    const isAnonymous = person.user === undefined;
    const roles = isAnonymous ? principal.roles : ["shopper"];
    const found = toolsByName.get(tool);
    const { bucket } = found === undefined ? discoveryTarget(tool) : toolTarget(found);
    if (isAnonymous && found === undefined) {
      if (takeDiscovery(policy, principal, at) > 0) note("discovery");
      continue;
    }
    const { windows, state } = counted(id);
    const { max, window_s } = limitOf(policy, roles, bucket);
    const weight = weightOf(policy, bucket, tool);
    if (fitsAt(windows[bucket], weight, { max, windowMs: window_s * 1_000 }, at) > at) note("rate");
    else charge(windows[bucket], weight, at);
    if (found === undefined) continue;
    if (!run(detector, state, asked, { attempt: index + 1, roles, catalog })) note("rule");
    if (!isAnonymous) continue;
    if (crowdedPage(policy, principal, at) !== undefined) note("crowded");
    const shared = { attempt: index + 1, roles: [NETWORK, SHARED], catalog };
    if (!run(detector, counted(person.network).state, asked, shared)) note("network");
    noteProducts(policy, asked.found.length, at);
  }
  return touched;
}

/** Judges a call before and after it ran; whether its answer was given. */
function run(
  detector: Detector,
  state: FlowState,
  { at, tool, args, found }: GuardedCall,
  { attempt, roles, catalog }: { attempt: number; roles: readonly string[]; catalog: number },
): boolean {
  const definition = toolsByName.get(tool);
  const labels = definition && toolTarget(definition).labels;
  if (labels === undefined) return true;
  const objects = objectTokens(found, KEY);
  const described = describeArguments(labels, args, KEY);
  // A network counts what was answered, so nothing is reserved.
  const named = roles.includes(NETWORK)
    ? { objects, neighbourhoods: [], unnamed: { subject: false, objects: 0 } }
    : {};
  const call = { at, attempt, tool, roles, ...described, ...named };
  const context = { catalogSize: catalog };
  const before = admit(state, detector, call, context);
  const records = found.length;
  const result = { at, objects, subjects: [], records, bytes: 100 * records };
  const after = settle(state, detector, call, { ...result, missed: false, tainted: false, canary: false });
  return !isRefused(before.verdict) && !isRefused(after.verdict);
}
