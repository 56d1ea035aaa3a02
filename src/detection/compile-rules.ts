import { type FlowCall, ADMINISTRATION, NETWORK, NEWCOMERS, SHARED } from "./event.ts";
import { adjacencyHandler } from "./kinds/adjacency.ts";
import { budgetHandler } from "./kinds/budget.ts";
import { type CompiledRule, type RuleHandler, appliesTo, overlaps } from "./kinds/compiled-rule.ts";
import { missesHandler } from "./kinds/misses.ts";
import { productsHandler } from "./kinds/products.ts";
import { profileHandler } from "./kinds/profile.ts";
import { sequenceHandler } from "./kinds/sequence.ts";
import { canaryHandler, floodingHandler, taintHandler } from "./kinds/single.ts";
import { sizeHandler } from "./kinds/size.ts";
import { subjectsHandler } from "./kinds/subjects.ts";
import type { Rule } from "./rules.ts";

/** Compiled rules. They hold nothing about any caller, so one set serves all callers. */
export interface Detector {
  /** The rules as they were given. A caller's state must be made for the same ones. */
  rules: readonly Rule[];
  /** Returns the rules that apply to a call. */
  watchesOf: (call: Pick<FlowCall, "classes" | "kinds" | "roles">) => readonly CompiledRule[];
}

/** Compiles rules; those that are off are left out. */
export function detectorOf(rules: readonly Rule[]): Detector {
  const compiled: CompiledRule[] = rules
    .filter(({ mode }) => mode !== "off")
    .map((rule) => ({ rule, ...handlerOf(rule) }));
  // There are as many sets of classes and kinds as tools, and only a few roles.
  const known = new Map<string, readonly CompiledRule[]>();
  return {
    rules,
    watchesOf(call) {
      const { classes, kinds, roles } = call;
      const key = `${classes.join()} ${kinds.join()} ${roles.join()}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      const wanted = compiled.filter((each) => appliesTo(each, call) && matchesRoles(each.rule, roles));
      if (known.size < CACHED_MAX) known.set(key, wanted);
      return wanted;
    },
  };
}

/** Returns whether the rule applies to calls with these roles, markers included. */
function matchesRoles(rule: Rule, roles: readonly string[]): boolean {
  if (rule.roles !== undefined && !overlaps(rule.roles, roles)) return false;
  if (rule.except_roles !== undefined && overlaps(rule.except_roles, roles)) return false;
  if (roles.includes(NETWORK)) return rule.roles?.includes(NETWORK) === true;
  if (roles.includes(NEWCOMERS) && rule.roles?.includes(NEWCOMERS) !== true) return false;
  const isAboutAdministration = rule.roles?.includes(ADMINISTRATION) === true;
  if (roles.includes(ADMINISTRATION)) return isAboutAdministration;
  return !roles.includes(SHARED) || rule.kind === "subjects";
}

/** Bounds the cache, because roles come from a directory that may have any number of them. */
const CACHED_MAX = 256;

function handlerOf(rule: Rule): RuleHandler {
  switch (rule.kind) {
    case "subjects":
      return subjectsHandler(rule);
    case "profile":
      return profileHandler(rule);
    case "sequence":
      return sequenceHandler(rule);
    case "budget":
      return budgetHandler(rule);
    case "products":
      return productsHandler(rule);
    case "adjacency":
      return adjacencyHandler(rule);
    case "misses":
      return missesHandler(rule);
    case "canary":
      return canaryHandler(rule);
    case "taint":
      return taintHandler(rule);
    case "size":
      return sizeHandler(rule);
    case "flooding":
      return floodingHandler(rule);
    default: {
      const none: never = rule;
      return none;
    }
  }
}
