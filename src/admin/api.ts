import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import type { AppTypes } from "../app-types.ts";
import { parseArguments } from "../arguments.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { type Page, type Position, positionOf } from "../database/page.ts";
import { runBatch } from "../database/run-batch.ts";
import { findKey } from "../identity/access-keys.ts";
import {
  type Maker,
  addUser,
  createKey,
  newKeySchema,
  newUserSchema,
  revokeKey,
  rolesSchema,
  setCustomer,
  setRoles,
} from "../identity/administration.ts";
import { type Noted, noteIdentity } from "../identity/changes.ts";
import { pageOfKeys, pageOfUsers } from "../identity/lists.ts";
import { isLastAdmin, keepingAnAdmin } from "../identity/last-admin.ts";
import { refuseSignature } from "../guard/signed-request.ts";
import { noteUse, toPrincipal } from "../identity/oauth.ts";
import { isCustomer, needsCustomer } from "../support/own-customer.ts";
import type { Principal } from "../identity/principal.ts";
import { isRecoveryCode } from "../identity/recovery-code-rows.ts";
import { findUser, rolesOf } from "../identity/users.ts";
import { isWholeKey } from "../identity/secrets.ts";
import {
  createSigningKey,
  newSigningKeySchema,
  revokeSigningKey,
  signingSecret,
} from "../identity/signing-keys.ts";
import { scopesOf } from "../identity/scopes.ts";
import type { When } from "../windows/caller-object.ts";
import type { Change } from "../windows/records.ts";
import { pageOfFolded, pageOfIncidents } from "../windows/incident-list.ts";
import {
  type Refusal,
  type RefusalCode,
  refusals,
  refusalDetails,
  refusalHeaders,
  refuse,
} from "../refusal.ts";
import { requestRefused } from "../telemetry/sink.ts";
import { countWrite } from "./admin-writes.ts";
import { exportAudit } from "./audit.ts";
import { mayHaveChain, pageOfChains } from "./chains.ts";
import { removeUser } from "./delete-user.ts";
import { setEnabled } from "./set-enabled.ts";
import { shownIncident } from "./shown-incident.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** The admin whose key asks the admin API; requireAdmin sets it. */
    admin: Principal;
  }
}
type ApiContext = Context<AppTypes>;

/** Users, roles and keys of both kinds, for holders of an access key of the role admin. */
export const adminApi = new Hono<AppTypes>();

// A key in a header, never the browser's cookie: no page can make a browser send it.
const requireAdmin = createMiddleware<AppTypes>(async (c, next) => {
  await ensureMigrated(c.env.DB);
  const [, key = ""] = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
  const now = Date.now();
  const found = isWholeKey(key) ? await findKey(c.env.DB, key, now) : undefined;
  if (found?.ok !== true) return answer(c, refuse("unauthenticated", "This needs an access key.").refusal);
  noteUse(c.env, found, now);
  const { user, signature } = found;
  const refused = await refuseSignature(c, { userId: user.userId, signature });
  if (refused !== undefined) return answer(c, refused);
  const scopes = scopesOf(user.roles);
  if (!scopes.includes("admin")) {
    return answer(
      c,
      refuse("permission_denied", "This needs the role admin.", { hints: { scopes: ["admin"] } }).refusal,
    );
  }
  c.set("admin", toPrincipal(user, "key", scopes));
  return next();
});
adminApi.use(requireAdmin);

adminApi.get("/users", (c) => list(c, "users", (page) => pageOfUsers(c.env.DB, page)));

adminApi.post("/users", async (c) => {
  const user = parseArguments(newUserSchema, await body(c));
  if (!user.ok) return answer(c, user.refusal);
  const { id, roles, customer_id: customer = null } = user.value;
  const taken = refuse(
    "conflict",
    "There is a user of that id, or was: ids of deleted users are not given again.",
  ).refusal;
  if (await hasBeenUser(c, id)) return answer(c, taken);
  const maker = await makerOf(c, user.value.recovery_code);
  const refused =
    (await refuseCustomer(c, roles, customer)) ??
    maker.refusal ??
    (await countWrite(c, adminOf(c), { gives: "users.add" }));
  if (refused !== undefined) return answer(c, refused);
  await note(c, id, { change: "user_added", roles, customer });
  try {
    await runBatch(c.env.DB, addUser(user.value, Date.now(), maker));
  } catch (error) {
    // Two requests at once both find the id free.
    if (!(await hasBeenUser(c, id))) throw error;
    return answer(c, taken);
  }
  return c.json({ id }, 201);
});

adminApi.put("/users/:id/roles", async (c) => {
  const given = parseArguments(rolesSchema, await body(c));
  if (!given.ok) return answer(c, given.refusal);
  const { roles, customer_id } = given.value;
  return changeUser(c, async (id, known) => {
    const refused = await refuseCustomer(c, roles, customer_id ?? known.customerId);
    if (refused !== undefined) return refused;
    if (!roles.includes("admin") && (await isLastAdmin(c.env.DB, id, Date.now()))) return LAST_ADMIN;
    const isMore = customer_id !== undefined || !roles.every((role) => known.roles.includes(role));
    const write = isMore ? ({ gives: "users.roles" } as const) : ({ takes: "users.roles" } as const);
    const uncounted = await countWrite(c, adminOf(c), write);
    return uncounted ?? ((await giveRoles(c, id, roles, customer_id)) ? undefined : LAST_ADMIN);
  });
});
adminApi.post("/users/:id/enable", (c) =>
  changeUser(c, async (id) => {
    const uncounted = await countWrite(c, adminOf(c), { gives: "users.enable" });
    if (uncounted === undefined) await setEnabled(c, id, true, { by: adminOf(c).id, note: null });
    return uncounted;
  }),
);
adminApi.post("/users/:id/disable", (c) =>
  changeUser(c, async (id) => {
    if (!(await setEnabled(c, id, false, { by: adminOf(c).id, note: null }))) return LAST_ADMIN;
    return countWrite(c, adminOf(c), { takes: "users.disable" });
  }),
);
adminApi.delete("/users/:id", (c) =>
  changeUser(c, async (id) => {
    if (!(await removeUser(c, id, adminOf(c).id))) return LAST_ADMIN;
    return countWrite(c, adminOf(c), { takes: "users.delete" });
  }),
);

adminApi.get("/keys", (c) =>
  list(c, "keys", (page) => pageOfKeys(c.env.DB, "access_keys", { ...page, user: c.req.query("user") })),
);

adminApi.post("/keys", async (c) => {
  const wanted = parseArguments(newKeySchema, await body(c));
  if (!wanted.ok) return answer(c, wanted.refusal);
  const maker = await makerOf(c, wanted.value.recovery_code);
  const refused =
    (await refuseKey(c, wanted.value)) ??
    maker.refusal ??
    (await countWrite(c, adminOf(c), { gives: "keys.create" }));
  if (refused !== undefined) return answer(c, refused);
  const { id, secret, expiresAt, statement } = createKey(wanted.value, Date.now(), maker);
  await note(c, wanted.value.user, { change: "key_added", key: id, roles: wanted.value.roles ?? null });
  await runBatch(c.env.DB, [statement]);
  c.header("Cache-Control", "no-store");
  return c.json({ id, key: secret, expires_at: isoTime(expiresAt) }, 201);
});
adminApi.post("/keys/:id/revoke", (c) => revoke(c, "access_keys", "key_revoked", revokeKey));

adminApi.get("/incidents", (c) =>
  list(c, "incidents", async (page) => {
    const rule = c.req.query("folded");
    const { rows, next } = await (rule === undefined
      ? pageOfIncidents(c.env.DB, { ...page, which: c.req.query("which") === "open" ? "open" : "all" })
      : pageOfFolded(c.env.DB, { ...page, rule }));
    return { rows: rows.map((row) => shownIncident(row, c.var.origin)), next };
  }),
);

adminApi.get("/audit", (c) => list(c, "anchors", (page) => pageOfChains(c.env, page)));

adminApi.get("/audit/:principal", async (c) => {
  const principal = c.req.param("principal");
  const exported = (await mayHaveChain(c.env, principal)) ? await exportAudit(c.env, principal) : undefined;
  return exported ?? answer(c, refuse("not_found", "There is no audit of that principal.").refusal);
});

adminApi.get("/signing-keys", (c) =>
  list(c, "signing_keys", (page) =>
    pageOfKeys(c.env.DB, "signing_keys", { ...page, user: c.req.query("user") }),
  ),
);

adminApi.post("/signing-keys", async (c) => {
  const wanted = parseArguments(newSigningKeySchema, await body(c));
  if (!wanted.ok) return answer(c, wanted.refusal);
  const refused =
    (await refuseKey(c, wanted.value)) ?? (await countWrite(c, adminOf(c), { gives: "signing-keys.create" }));
  if (refused !== undefined) return answer(c, refused);
  const { id, expiresAt, statement } = createSigningKey(wanted.value, Date.now(), adminOf(c).id);
  await note(c, wanted.value.user, { change: "signing_key_added", key: id });
  await runBatch(c.env.DB, [statement]);
  c.header("Cache-Control", "no-store");
  const secret = wanted.value.algorithm === "ed25519" ? undefined : signingSecret(c.var.secretKey, id);
  return c.json({ id, secret, expires_at: isoTime(expiresAt) }, 201);
});
adminApi.post("/signing-keys/:id/revoke", (c) =>
  revoke(c, "signing_keys", "signing_key_revoked", revokeSigningKey),
);

// Programs are told so, and are not sent to sign in as by the pages, which have the paths around these.
adminApi.all("*", (c) => c.notFound());

/** Why a key would open nothing that was asked for; undefined where it would. */
async function refuseKey(
  c: ApiContext,
  { user, roles = [] }: { user: string; roles?: string[] | undefined },
): Promise<Refusal | undefined> {
  const found = await findUser(c.env.DB, user);
  if (found === undefined) return refuse("not_found", "There is no such user.").refusal;
  if (found.isDisabled) return refuse("conflict", "The user is disabled; enable it first.").refusal;
  if (roles.every((role) => found.roles.includes(role))) return undefined;
  const has = found.roles.join(", ") || "no role";
  return refuse("invalid_arguments", `roles: narrows those of the user, who has ${has}.`).refusal;
}

const SIZE_MAX = 1_000;
const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(SIZE_MAX).default(100),
  after: z
    .string()
    .max(2_000)
    .transform((cursor, context) => {
      const position = positionOf(cursor);
      if (position === undefined) context.addIssue("is no cursor: give `next` of the page before");
      return position;
    })
    .optional(),
});

/** Answers with one page of a list, under the list's name, and with the cursor of the next page as `next`. */
async function list(
  c: ApiContext,
  name: string,
  read: (wanted: { after: Position | undefined; size: number }) => Promise<Page<object>>,
): Promise<Response> {
  const { limit, after } = c.req.query();
  const wanted = parseArguments(pageSchema, { limit, after });
  if (!wanted.ok) return answer(c, wanted.refusal);
  const { rows, next } = await read({ after: wanted.value.after, size: wanted.value.limit });
  return c.json({ [name]: rows, next });
}

const isoTime = (time: number | null) => (time === null ? null : new Date(time).toISOString());

const LAST_ADMIN = refuse("conflict", "Nobody else is an admin: nobody could undo this.").refusal;

/** Changes whom the path names; `work` gives the refusal where it can't be done. */
async function changeUser(
  c: ApiContext,
  work: (
    id: string,
    known: NonNullable<Awaited<ReturnType<typeof findUser>>>,
  ) => Promise<Refusal | undefined>,
): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const known = await findUser(c.env.DB, id);
  if (known === undefined) return answer(c, refuse("not_found", "There is nothing of that id.").refusal);
  const refused = await work(id, known);
  return refused === undefined ? c.json({ id }) : answer(c, refused);
}

/** Users who read the support desk as one of its customers have to be one, and nobody can be one whom it does not have. */
async function refuseCustomer(
  c: ApiContext,
  roles: readonly string[],
  customer: string | null,
): Promise<Refusal | undefined> {
  if (customer === null)
    return needsCustomer(c.var.policy, roles)
      ? refuse("invalid_arguments", "customer_id: is missing; these roles read a customer's own rows.")
          .refusal
      : undefined;
  return (await isCustomer(c.env.DB, customer))
    ? undefined
    : refuse("invalid_arguments", "customer_id: the support desk has no such customer.").refusal;
}

/** The maker of something, and whether they vouch for it; a refusal if the recovery code is wrong. */
async function makerOf(
  c: ApiContext,
  code: string | undefined,
): Promise<Maker & { refusal?: Refusal | undefined }> {
  const by = adminOf(c).id;
  if (code === undefined) return { by };
  if (await isRecoveryCode(c.env.DB, code)) return { by, isVouched: true };
  return {
    by,
    refusal: refuse("invalid_arguments", "recovery_code: is not the code of this server.").refusal,
  };
}

/** False where nobody else is an admin. */
async function giveRoles(
  c: ApiContext,
  user: string,
  roles: string[],
  customer: string | undefined,
): Promise<boolean> {
  const { DB: db } = c.env;
  const now = Date.now();
  const statements = [
    ...(customer === undefined ? [] : [setCustomer(user, customer)]),
    ...setRoles(user, roles, { by: adminOf(c).id, now }),
  ];
  const before = await rolesOf(db, user);
  // Whoever stays an admin takes none away.
  const set = () =>
    roles.includes("admin") ? runBatch(db, statements) : keepingAnAdmin(db, statements, { user }, now);
  if (customer === undefined && roles.every((role) => before.includes(role))) {
    if ((await set()) === undefined) return false;
    await note(c, user, { change: "roles_set", roles }, "after");
    return true;
  }
  if (!roles.includes("admin") && (await isLastAdmin(db, user, now))) return false;
  if (customer !== undefined) await note(c, user, { change: "customer_set", customer });
  await note(c, user, { change: "roles_set", roles });
  if ((await set()) !== undefined) return true;
  // The other admin went in between: what the audit has is taken back.
  await note(c, user, { change: "roles_set", roles: before }, "after");
  return false;
}

const keyRow = z.object({ user_id: z.string(), revoked_at: z.int().nullable() });

/**
 * Revokes what the path names, where it exists and is not the last that lets an admin in. A key that was revoked before
 * gets no second record, and the answer says since when it is.
 */
async function revoke(
  c: ApiContext,
  table: "access_keys" | "signing_keys",
  as: Change["change"],
  statements: typeof revokeKey,
): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const row = await c.env.DB.prepare(`SELECT user_id, revoked_at FROM ${table} WHERE id = ?`)
    .bind(id)
    .first();
  if (row === null) return answer(c, refuse("not_found", "There is nothing of that id.").refusal);
  const { user_id: user, revoked_at: revokedAt } = keyRow.parse(row);
  if (revokedAt !== null) return c.json({ id, revoked_at: isoTime(revokedAt) });
  const now = Date.now();
  if ((await keepingAnAdmin(c.env.DB, statements(id, now), { key: id }, now)) === undefined)
    return answer(c, LAST_ADMIN);
  await note(c, user, { change: as, key: id }, "after");
  await countWrite(c, adminOf(c), {
    takes: table === "access_keys" ? "keys.revoke" : "signing-keys.revoke",
  });
  return c.json({ id });
}

const note = (
  c: ApiContext,
  principal: string,
  change: Omit<Noted, "by">,
  when: When = "before",
): Promise<void> => noteIdentity(c.env.USER_WINDOWS, principal, { ...change, by: adminOf(c).id }, when);

function adminOf(c: ApiContext): Principal {
  const { admin } = c.var;
  if (admin === undefined) throw new Error("A route of the admin API ran before its middleware.");
  return admin;
}

/** Whether there is a user of that id, or was one who is deleted. */
async function hasBeenUser(c: ApiContext, id: string): Promise<boolean> {
  return (await c.env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(id).first()) !== null;
}

async function body(c: ApiContext): Promise<unknown> {
  return c.req.json<unknown>().catch(() => null);
}

/** Codes of this API's own checks. The guard and the check of signatures log and count what they refuse. */
const OWN_CODES: ReadonlySet<RefusalCode> = new Set([
  "unauthenticated",
  "permission_denied",
  "invalid_arguments",
  "not_found",
  "conflict",
]);

function answer(c: ApiContext, refusal: Refusal): Response {
  if (OWN_CODES.has(refusal.code)) requestRefused(refusal.code, c.var);
  const { http: status } = refusals[refusal.code];
  if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="admin"');
  const retryAfter = refusalHeaders(refusal).get("Retry-After");
  if (retryAfter !== null) c.header("Retry-After", retryAfter);
  return c.json({ error: refusal.message, ...refusalDetails(refusal, c.var.correlationId) }, status);
}
