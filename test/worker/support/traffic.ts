import { expect } from "vitest";
import { bearer, post } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";

/** Stands in calls wherever the policy lets nothing be seen. */
export const SECRET = "PLANTED-jane.doe@example.com-4111111111111111";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "auditor", version: "1" },
};
const reference = (name: string, value: string) => ({
  ref: { type: "ref/prompt", name: "find_product" },
  argument: { name, value },
});
/** Good, bad, unknown and forbidden, of every kind; secrets wherever the policy shows nothing. */
const MIXED: [method: string, params: Record<string, unknown>, name?: string][] = [
  ["tools/list", {}],
  ["tools/call", { name: "search_products", arguments: { query: "keyboard" } }, "search_products"],
  ["tools/call", { name: "query_stock", arguments: { skus: ["SKU-10001", "SKU-0"] } }, "query_stock"],
  ["tools/call", { name: "query_stock", arguments: { sku: "SKU-10001", [SECRET]: SECRET } }, "query_stock"],
  ["tools/call", { name: "get_product", arguments: { email: SECRET } }, "get_product"],
  ["tools/call", { name: "list_categories", arguments: { cursor: SECRET } }, "list_categories"],
  ["tools/call", { name: "search_products", arguments: { password: SECRET } }, "search_products"],
  ["tools/call", { name: SECRET, arguments: { query: SECRET } }, SECRET],
  ["resources/read", { uri: "catalog://products/summary" }, "catalog://products/summary"],
  ["resources/read", { uri: `catalog://products/${SECRET}` }, `catalog://products/${SECRET}`],
  ["resources/read", { uri: `secret://${SECRET}` }, `secret://${SECRET}`],
  ["prompts/get", { name: "find_product", arguments: { need: SECRET } }, "find_product"],
  ["prompts/get", { name: "stock_report", arguments: { skus: SECRET } }, "stock_report"],
  ["prompts/get", { name: SECRET }, SECRET],
  ["completion/complete", reference("category", SECRET)],
  ["completion/complete", reference(SECRET, "x")],
  ["completion/complete", { ref: { type: "ref/prompt", name: SECRET }, argument: { name: "a", value: "" } }],
  ["prompts/list", { cursor: SECRET }],
];

/** Everything above, as one batch of 2025 and call by call on 2026-07-28, by one key. */
export async function mixedTraffic() {
  const user = await newUser();
  const { secret } = await newKey(user);
  await (
    await post(
      MIXED.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params })),
      bearer(secret),
    )
  ).text();
  for (const [method, params, name] of MIXED) {
    const headers = {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(name !== undefined && { "mcp-name": name }),
    };
    const body = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } };
    const response = await post(body, { ...headers, ...bearer(secret) });
    expect([200, 400, 404]).toContain(response.status);
    await response.text();
  }
  return { user, secret };
}
