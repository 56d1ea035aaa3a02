// Drives one client through every step, and prints each step's outcome as JSON. It runs in the folder of the clients.

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allow } from "./person.mjs";
import { sdk } from "./sdk.mjs";

const [name, url, key] = process.argv.slice(2);
const driver = name.startsWith("sdk-") ? sdk(name) : (await import(`./${name}.mjs`)).default;
const headers = { Authorization: `Bearer ${key}` };
const STEP_MS = 40_000;
const results = {};

/** Records `yes`, or why not. A step of undefined is one that the client does not have. */
async function step(what, work) {
  const late = new Promise((_, reject) =>
    setTimeout(reject, STEP_MS, new Error("no answer in time")).unref(),
  );
  try {
    results[what] = (await Promise.race([work(), late])) ?? "yes";
  } catch (error) {
    results[what] = `no: ${String(error?.message ?? error)
      .replaceAll(/\s+/g, " ")
      .slice(0, 160)}`;
  }
}
const expect = (text, part) => {
  if (!text.includes(part)) throw new Error(`lacks "${part}": ${text.slice(0, 100)}`);
};
const newHome = () => mkdtemp(join(tmpdir(), "catalog-client-"));
/** A client that names no tools says that it is connected. */
const count = (names) => (Array.isArray(names) ? `${new Set(names).size} tools` : names);

let opened;
await step("key", async () => {
  opened = await driver.open({ url, headers, home: await newHome() });
});
if (opened !== undefined) {
  await step("list", async () => count(await opened.tools()));
  const fail = () => opened.call("get_product", { sku: "SKU-0" }).catch((error) => `${error.message}`);
  for (const [what, method, ask, part] of [
    ["call", "call", () => opened.call("query_stock", { skus: ["SKU-10001"] }), "SKU-10001"],
    ["error", "call", fail, "not_found"],
    ["resource", "resource", () => opened.resource("catalog://products/SKU-10001"), "warehouses"],
    ["prompt", "prompt", () => opened.prompt("stock_report", { skus: "SKU-10001" }), "warehouses"],
  ])
    if (opened[method] === undefined) results[what] = opened.lacks ?? "has none";
    else await step(what, async () => expect(await ask(), part));
  await step("close", () => opened.close());
  delete results.close;
}

/** Opens a client whose person signs in when it asks for that, and allows the ticked scopes, or all that are offered. */
async function signIn(ticked) {
  const provider = driver.newProvider?.();
  if (provider === undefined) return driver.open({ url, home: await newHome(), person: { key, ticked } });
  const open = () => driver.open({ url, provider });
  let client = await open().catch((error) => error);
  // Some clients report no error while they wait for the person.
  if (await finishSignIn(provider, ticked)) client = await open();
  if (client instanceof Error) throw client;
  return { ...client, provider };
}

/** Visits the page that the client has opened, if it has; returns whether it had. */
async function finishSignIn(provider, ticked) {
  const { page } = provider.kept;
  if (page === undefined) return false;
  delete provider.kept.page;
  const callback = await allow(page, key, ticked);
  await driver.finish(provider, url, callback.searchParams.get("code"));
  return true;
}

if (driver.signsIn === false) results.OAuth = "not tried";
else
  await step("OAuth", async () => {
    const client = await signIn();
    const names = await client.tools();
    await client.close();
    return count(names);
  });
if (opened?.lacks !== undefined) results["step-up"] = opened.lacks;
else
  await step("step-up", async () => {
    const client = await signIn(["catalog:read"]);
    const order = ["get_order", { order_id: "O-100001" }];
    let told = await client.call(...order).catch((error) => error);
    await client.close();
    if (client.provider !== undefined && (await finishSignIn(client.provider))) {
      const again = await driver.open({ url, provider: client.provider });
      told = await again.call(...order);
      await again.close();
    }
    if (told instanceof Error) throw told;
    expect(told, "placed");
  });
console.log(`\n${JSON.stringify(results)}`);
process.exit(0);
