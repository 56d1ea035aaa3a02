// Makes release-VERSION/: the data that this code stores, for later code to be tested on. Run it on a
// release, once: npx vitest run --project state --update. Earlier results are kept, so each release's state stays in
// the tests.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { version } from "../../../package.json";
import { createSigningKey } from "../../../src/identity/signing-keys.ts";
import { runBatch } from "../../../src/database/run-batch.ts";
import { addUser, newUserSchema } from "../../../src/identity/administration.ts";
import { api } from "../identity/support/admin-api.ts";
import { newKey } from "../identity/support/people.ts";
import { granted, refresh, tokensOf } from "../identity/support/oauth-client.ts";
import { answers, bearer, post } from "../identity/support/deployed.ts";
import { admission } from "../support/admission.ts";
import { fill, sample } from "../support/catalog.ts";
import { CANARY, INJECTED, deskSample, fillDesk } from "../support/desk.ts";
import { dump } from "./dump.ts";
import { DAY, MADE_AT, PRINCIPALS, type Secrets } from "./story.ts";

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: MADE_AT });
  await fill(sample);
  await fillDesk();
});
afterAll(() => vi.useRealTimers());

const objectOf = (principal: string) => env.USER_WINDOWS.getByName(principal);
const keys: Record<string, string> = {};

async function add(id: string, roles: string[]): Promise<void> {
  await runBatch(env.DB, addUser(newUserSchema.parse({ id, name: "A Person", roles }), Date.now()));
  keys[id] = (await newKey(id)).secret;
}

async function call(principal: string, name: string, args: object): Promise<string> {
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
  const [answer] = await answers(await post(message, bearer(keys[principal] ?? "")));
  vi.setSystemTime(Date.now() + 1_000);
  return JSON.stringify(answer);
}

/** Reads customers until a rule asks for a person; returns the incident. */
async function readPeople(principal: string): Promise<string> {
  let refused = "";
  for (const { id, canary } of deskSample.customers) {
    if (canary) continue;
    const answer = await call(principal, "get_customer", { customer_id: `C-${id}` });
    if (answer.includes("confirmation_required")) refused = answer;
  }
  const [, incident = ""] = /\/confirm\/([\w-]+)/.exec(refused) ?? [];
  expect(incident).not.toBe("");
  return incident;
}

it("makes the state", async () => {
  const { stopped, released, tainted, shopper, signer, old, admin } = PRINCIPALS;
  await add(admin, ["admin"]);
  for (const id of [stopped, released, tainted, old]) await add(id, ["support"]);
  for (const id of [shopper, signer]) await add(id, ["shopper"]);

  vi.setSystemTime(MADE_AT - 91 * DAY);
  for (let each = 0; each < 3; each++) await call(old, "list_categories", {});
  vi.setSystemTime(MADE_AT);
  await call(old, "get_customer", { customer_id: "C-10001" });
  await runDurableObjectAlarm(objectOf(old));

  const incident = await readPeople(stopped);
  await objectOf(released).decide({
    incident: await readPeople(released),
    decision: "released",
    by: admin,
    note: "known work",
  });
  await call(released, "get_customer", { customer_id: "C-10016" });

  await call(tainted, "get_customer", { customer_id: CANARY.customer });
  for (const ticket_id of INJECTED) await call(tainted, "get_ticket", { ticket_id });
  await call(tainted, "close_ticket", { ticket_id: "T-5001", resolution: "Sent again" });

  await call(shopper, "search_products", { query: "keyboard" });
  for (const sku of ["SKU-10001", "SKU-10002", "SKU-1", "SKU-2"]) await call(shopper, "get_product", { sku });
  // The alarm stores the detection state here; later calls are only in records.
  for (const principal of Object.values(PRINCIPALS)) await runDurableObjectAlarm(objectOf(principal));
  await call(shopper, "query_stock", { skus: ["SKU-10003"] });
  for (let each = 0; each < 6; each++) await call(shopper, "search_products", { query: 7 });
  // A call whose settlement never came.
  await objectOf(tainted).admit(
    admission(tainted, {
      attempt: {
        name: "get_customer",
        roles: ["support"],
        flow: {
          classes: ["identity"],
          kinds: ["source"],
          cost: { records: 1, bytes: 100 },
          unnamed: { subject: false, objects: 0 },
          subjects: ["somebody"],
          objects: [],
          neighbourhoods: [],
        },
      },
    }),
  );

  const { id, statement } = createSigningKey(
    { user: signer, label: "test", algorithm: "hmac-sha256" },
    Date.now(),
  );
  await runBatch(env.DB, [statement]);
  const nonce = { keyId: id, nonce: "a nonce of the state", expiresAt: Date.now() + 60_000 };
  await objectOf(signer).consumeNonce(nonce);
  await api(keys[admin] ?? "", "PUT", `/users/${signer}/roles`, { roles: ["shopper", "inventory"] });
  await api(keys[admin] ?? "", "POST", "/keys", { user: signer, label: "another" });

  const { user, flow, tokens } = await granted();
  const { access_token: accessToken, refresh_token: refreshToken } = await tokensOf(
    await refresh(flow, tokens.refresh_token),
  );
  const secrets: Secrets = {
    keys,
    oauth: { user, clientId: flow.clientId, accessToken, refreshToken },
    incident,
    nonce,
  };
  for (const principal of Object.values(PRINCIPALS)) await evictDurableObject(objectOf(principal));
  const text = await dump([...Object.values(PRINCIPALS), user]);
  await expect(text).toMatchFileSnapshot(`release-${version}/state.jsonl`);
  await expect(`${JSON.stringify(secrets, null, 2)}\n`).toMatchFileSnapshot(
    `release-${version}/secrets.json`,
  );
});
