import type { Bucket, Limit, Policy } from "./schema.ts";

export type TargetKind = "tools" | "resources" | "prompts";

/** Whether any of the roles may use a thing. Unknown roles allow nothing. */
export function allows(policy: Policy, roles: readonly string[], kind: TargetKind, name: string): boolean {
  return rolesIn(policy, roles).some((role) => role[kind].includes(name));
}

/** Whether any of the roles sees the rows of every customer, and not own ones alone. */
export const seesEveryCustomer = (policy: Policy, roles: readonly string[]): boolean =>
  rolesIn(policy, roles).some(({ customers }) => customers === "all");

/** The limit of a caller: of several roles' limits the one that lets most through. */
export function limitOf(policy: Policy, roles: readonly string[], bucket: Bucket): Limit {
  const own = rolesIn(policy, roles).map(({ limits }) => (limits ?? policy.limits)[bucket]);
  return own.reduce(
    (best, each) => (each.max / each.window_s > best.max / best.window_s ? each : best),
    own[0] ?? policy.limits[bucket],
  );
}

/** What one call counts. Discovery has no weights: they are checked against the limit of calls alone. */
export const weightOf = ({ weights }: Policy, bucket: Bucket, name: string): number =>
  bucket === "calls" && Object.hasOwn(weights, name) ? (weights[name] ?? 1) : 1;

function rolesIn({ roles: known }: Policy, roles: readonly string[]) {
  return roles.flatMap((role) => {
    const found = Object.hasOwn(known, role) ? known[role] : undefined;
    return found === undefined ? [] : [found];
  });
}

/** The roles of whoever runs programs on this machine (src/local/worker.ts). */
export const localRoles = ({ local_role }: Policy): string[] => (local_role === null ? [] : [local_role]);
