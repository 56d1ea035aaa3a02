import { expect } from "vitest";
import { bearer, post } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { modern } from "./modern.ts";

/** A value in calls, at every place that the policy must hide. */
export const SECRET = "PLANTED-jane.doe@example.com-4111111111111111";

const reference = (name: string, value: string) => ({
  ref: { type: "ref/prompt", name: "find_product" },
  argument: { name, value },
});
/** Good, bad, unknown and forbidden calls of every kind, with secrets wherever the policy hides values. */
const MIXED: [method: string, params: Record<string, unknown>][] = [
  ["tools/list", {}],
  ["tools/call", { name: "search_products", arguments: { query: "keyboard" } }],
  ["tools/call", { name: "query_stock", arguments: { skus: ["SKU-10001", "SKU-0"] } }],
  ["tools/call", { name: "query_stock", arguments: { sku: "SKU-10001", [SECRET]: SECRET } }],
  ["tools/call", { name: "get_product", arguments: { email: SECRET } }],
  ["tools/call", { name: "list_categories", arguments: { cursor: SECRET } }],
  ["tools/call", { name: "search_products", arguments: { password: SECRET } }],
  ["tools/call", { name: SECRET, arguments: { query: SECRET } }],
  ["resources/read", { uri: "catalog://products/summary" }],
  ["resources/read", { uri: `catalog://products/${SECRET}` }],
  ["resources/read", { uri: `secret://${SECRET}` }],
  ["prompts/get", { name: "find_product", arguments: { need: SECRET } }],
  ["prompts/get", { name: "stock_report", arguments: { skus: SECRET } }],
  ["prompts/get", { name: SECRET }],
  ["completion/complete", reference("category", SECRET)],
  ["completion/complete", reference(SECRET, "x")],
  ["completion/complete", { ref: { type: "ref/prompt", name: SECRET }, argument: { name: "a", value: "" } }],
  ["prompts/list", { cursor: SECRET }],
];

/** Sends all of the above with one key, as one 2025 batch and call by call on 2026-07-28. */
export async function mixedTraffic() {
  const user = await newUser();
  const { secret } = await newKey(user);
  await (
    await post(
      MIXED.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params })),
      bearer(secret),
    )
  ).text();
  for (const [method, params] of MIXED) {
    const { body, headers } = modern(method, params);
    const response = await post(body, { ...headers, ...bearer(secret) });
    expect([200, 400, 404]).toContain(response.status);
    await response.text();
  }
  return { user, secret };
}
