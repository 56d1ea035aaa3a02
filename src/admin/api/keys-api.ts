import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { parseArguments } from "../../validation/arguments.ts";
import { newKeySchema } from "../../identity/administration.ts";
import { pageOfKeys } from "../../identity/lists.ts";
import { makeKey } from "../access-keys.ts";
import { adminOf, answer, body, isoTime } from "./api-request.ts";
import { list } from "./list-page.ts";
import { revoke } from "./revoke-route.ts";

/** /admin/api/keys: access keys. */
export const keysApi = new Hono<AppTypes>();

keysApi.get("/", (c) =>
  list(c, "keys", (page) => pageOfKeys(c.env.DB, "access_keys", { ...page, user: c.req.query("user") })),
);

keysApi.post("/", async (c) => {
  const wanted = parseArguments(newKeySchema, await body(c));
  if (!wanted.ok) return answer(c, wanted.refusal);
  const made = await makeKey(c, adminOf(c), wanted.value);
  if (!made.ok) return answer(c, made.refusal);
  const { id, secret, expiresAt } = made.value;
  c.header("Cache-Control", "no-store");
  return c.json({ id, key: secret, expires_at: isoTime(expiresAt) }, 201);
});
keysApi.post("/:id/revoke", (c) => revoke(c, "access_keys"));
