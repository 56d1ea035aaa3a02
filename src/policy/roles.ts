import type { Bucket, Limit, Policy } from "./schema.ts";

export type TargetKind = "tools" | "resources" | "prompts";

/** Returns whether any of the roles may use a thing. Unknown roles allow nothing. */
export function allows(policy: Policy, roles: readonly string[], kind: TargetKind, name: string): boolean {
  return rolesIn(policy, roles).some((role) => role[kind].includes(name));
}

/** Returns whether any of the roles sees every customer's rows, and not only its own. */
export const seesEveryCustomer = (policy: Policy, roles: readonly string[]): boolean =>
  rolesIn(policy, roles).some(({ customers }) => customers === "all");

/** Returns the limit of a caller with these roles: the most generous one. */
export function limitOf(policy: Policy, roles: readonly string[], bucket: Bucket): Limit {
  const own = rolesIn(policy, roles).map(({ limits }) => (limits ?? policy.limits)[bucket]);
  return own.reduce(
    (best, each) => (each.max / each.window_s > best.max / best.window_s ? each : best),
    own[0] ?? policy.limits[bucket],
  );
}

/** Returns the weight of one call. Discovery has no weights: they are validated only against the limit of calls. */
export const weightOf = ({ weights }: Policy, bucket: Bucket, name: string): number =>
  bucket === "calls" && Object.hasOwn(weights, name) ? (weights[name] ?? 1) : 1;

function rolesIn({ roles: known }: Policy, roles: readonly string[]) {
  return roles.flatMap((role) => {
    const found = Object.hasOwn(known, role) ? known[role] : undefined;
    return found === undefined ? [] : [found];
  });
}

/** Returns the roles of a person who runs programs on this machine (src/local/worker.ts). */
export const localRoles = ({ local_role }: Policy): string[] => (local_role === null ? [] : [local_role]);
