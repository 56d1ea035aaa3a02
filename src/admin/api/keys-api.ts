import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { parseArguments } from "../../validation/arguments.ts";
import { runBatch } from "../../database/run-batch.ts";
import { createKey, newKeySchema, revokeKey } from "../../identity/administration.ts";
import { pageOfKeys } from "../../identity/lists.ts";
import { countWrite } from "../admin-writes.ts";
import { adminOf, answer, body, isoTime, note } from "./api-request.ts";
import { refuseKey, revoke } from "./key-changes.ts";
import { list } from "./list-page.ts";
import { makerOf } from "./maker.ts";

/** /admin/api/keys: access keys. */
export const keysApi = new Hono<AppTypes>();

keysApi.get("/", (c) =>
  list(c, "keys", (page) => pageOfKeys(c.env.DB, "access_keys", { ...page, user: c.req.query("user") })),
);

keysApi.post("/", async (c) => {
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
keysApi.post("/:id/revoke", (c) => revoke(c, "access_keys", "key_revoked", revokeKey));
