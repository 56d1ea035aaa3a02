import { Hono } from "hono";
import type { AppTypes } from "../app-types.ts";
import { auditApi } from "./api/audit.ts";
import { incidentsApi } from "./api/incidents.ts";
import { keysApi } from "./api/keys.ts";
import { requireAdmin } from "./api/require-admin.ts";
import { signingKeysApi } from "./api/signing-keys.ts";
import { usersApi } from "./api/users.ts";

/** The admin API: users, roles, keys of both kinds, incidents and audits, for holders of an access key of the role admin. */
export const adminApi = new Hono<AppTypes>();

adminApi.use(requireAdmin);
adminApi.route("/users", usersApi);
adminApi.route("/keys", keysApi);
adminApi.route("/signing-keys", signingKeysApi);
adminApi.route("/incidents", incidentsApi);
adminApi.route("/audit", auditApi);

// Programs get a 404, and are not sent to sign in as by the pages, which have the paths around these.
adminApi.all("*", (c) => c.notFound());
