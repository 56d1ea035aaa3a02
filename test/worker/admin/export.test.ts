import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { anchorSchema, verifyChain } from "../../../src/caller/audit/chain.ts";
import { api } from "../identity/support/admin-api.ts";
import { bearer, post } from "../identity/support/deployed.ts";
import { keyOf, newKey, newUser } from "../identity/support/people.ts";
import { anchorRow } from "../support/audit.ts";
import { fill, sample } from "../support/catalog.ts";

let admin: string;
beforeAll(async () => {
  await fill(sample);
  admin = await keyOf(["admin"]);
});

const exportOf = (principal: string) => api(admin, "GET", `/audit/${principal}`);
const hasObject = async (principal: string) =>
  (await listDurableObjectIds(env.USER_WINDOWS)).some((id) =>
    id.equals(env.USER_WINDOWS.idFromName(principal)),
  );

it("an export has the anchor that it ends at, even before D1 has one", async () => {
  const user = await newUser();
  const { secret } = await newKey(user);
  const refused = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "get_customer" } };
  expect(await post(refused, bearer(secret))).toMatchObject({ status: 403 });
  expect(await anchorRow(user)).toBeNull();

  const response = await exportOf(user);
  expect(response.status).toBe(200);
  const anchor = anchorSchema.parse(JSON.parse(response.headers.get("x-audit-anchor") ?? ""));
  const lines = (await response.text()).trimEnd().split("\n");
  expect(await verifyChain(lines, anchor)).toMatchObject({
    ok: true,
    records: 1,
    checked: { end: true, beginning: true },
  });
  expect(await anchorRow(user)).toMatchObject({ seq: 1, hash: anchor.hash });
});

it("a user who never called has no audit, and an unknown name creates no object", async () => {
  expect(await exportOf(await newUser())).toMatchObject({ status: 404 });
  expect(await exportOf("nobody-of-this-name")).toMatchObject({ status: 404 });
  expect(await hasObject("nobody-of-this-name")).toBe(false);
});
