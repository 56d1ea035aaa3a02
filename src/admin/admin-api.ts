import { Hono } from "hono/tiny";
import type { AppTypes } from "../app-types.ts";
import { auditApi } from "./api/audit-api.ts";
import { deliveriesApi, feedsApi, uploadsApi } from "./api/feeds-api.ts";
import { incidentsApi } from "./api/incidents-api.ts";
import { keysApi } from "./api/keys-api.ts";
import { requireAdmin } from "./api/require-admin.ts";
import { signingKeysApi } from "./api/signing-keys-api.ts";
import { usersApi } from "./api/users-api.ts";

/** The admin API: users, roles, access keys, signing keys, incidents, audits, feeds and uploads. It needs an access key with the role admin. */
export const adminApi = new Hono<AppTypes>();

adminApi.use(requireAdmin);
adminApi.route("/users", usersApi);
adminApi.route("/keys", keysApi);
adminApi.route("/signing-keys", signingKeysApi);
adminApi.route("/incidents", incidentsApi);
adminApi.route("/audit", auditApi);
adminApi.route("/feeds", feedsApi);
adminApi.route("/uploads", uploadsApi);
adminApi.route("/deliveries", deliveriesApi);

// Answer unknown paths here with 404. Otherwise the dashboard's /admin/* would redirect programs to the sign-in page.
adminApi.all("*", (c) => c.notFound());
