import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { parseArguments } from "../../validation/arguments.ts";
import { runBatch } from "../../database/run-batch.ts";
import { pageOfKeys } from "../../identity/lists.ts";
import { createSigningKey, newSigningKeySchema, signingSecret } from "../../identity/signing-keys.ts";
import { refuseKey } from "../access-keys.ts";
import { countWrite } from "../admin-writes.ts";
import { adminOf, answer, body, isoTime, note } from "./api-request.ts";
import { list } from "./list-page.ts";
import { revoke } from "./revoke-route.ts";

/** /admin/api/signing-keys: keys that sign requests. */
export const signingKeysApi = new Hono<AppTypes>();

signingKeysApi.get("/", (c) =>
  list(c, "signing_keys", (page) =>
    pageOfKeys(c.env.DB, "signing_keys", { ...page, user: c.req.query("user") }),
  ),
);

signingKeysApi.post("/", async (c) => {
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
signingKeysApi.post("/:id/revoke", (c) => revoke(c, "signing_keys"));
