import { expect, it } from "vitest";
import { call, post } from "./support/clients.ts";

it("says how to fill an empty catalog", async () => {
  const { text } = await post([
    call("search_products", { query: "keyboard" }, 1),
    call("list_categories", {}, 2),
    { jsonrpc: "2.0", id: 3, method: "resources/read", params: { uri: "catalog://products/summary" } },
  ]);
  expect(text.match(/npx product-catalog-mcp import/g)?.length).toBeGreaterThanOrEqual(3);
});
