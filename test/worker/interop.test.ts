import { beforeAll, describe, expect, it } from "vitest";
import { prompts } from "../../src/prompts/registry.ts";
import { tools } from "../../src/tools/registry.ts";
import { fill, sample } from "./support/catalog.ts";
import { ADA, BORIS, fillDesk, signedInAs } from "./support/desk.ts";
import { connectClient, connectClientV1 } from "./support/clients.ts";

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
});
// A new caller for each test, so that none reaches another's limits.
const agent = () => signedInAs(["support", "inventory"]);

const clients = {
  "v2 client on 2026-07-28": async () => connectClient("2026-07-28", await agent()),
  "v2 client on 2025": async () => connectClient("2025", await agent()),
  "v1 SDK client": async () => connectClientV1(await agent()),
};

const calls = {
  search_products: [
    { query: "keyboard" },
    { query: "keyboard", version: "v1" },
    { query: "keyboard", version: "v2" },
  ],
  get_product: [{ sku: "SKU-10001" }],
  query_stock: [{ sku: "SKU-10001" }, { skus: ["SKU-10001", "SKU-12847", "SKU-0"] }],
  list_categories: [{}],
  search_customers: [{ email: "ada.moreau@example.com" }, { name: "Lind", postcode: "10115" }],
  get_customer: [{ customer_id: ADA }],
  get_customer_orders: [{ customer_id: ADA, limit: 3 }, { customer_id: BORIS }],
  get_order: [{ order_id: "O-100001" }],
  get_payment_methods: [{ customer_id: ADA }],
  list_tickets: [{}, { status: "closed" }, { customer_id: ADA, status: "open" }],
  get_ticket: [{ ticket_id: "T-5002" }, { ticket_id: "T-5004" }],
  close_ticket: [{ ticket_id: "T-5001", resolution: "Sent again" }],
  update_inventory: [
    { changes: [{ sku: "SKU-10001", warehouse: "east", set: 12 }], reason: "Counted", dry_run: true },
  ],
  list_changes: [{}],
  list_reservations: [{}],
};
const promptArguments = {
  find_product: { need: "typing", budget: "100 USD" },
  compare_products: { skus: "SKU-10001, SKU-10002" },
  stock_report: { skus: "SKU-10001,SKU-12847" },
};

const destructive = new Set(["update_inventory", "commit_reservation", "release_reservation", "undo_change"]);
const writes = new Set([...destructive, "close_ticket", "reopen_ticket", "reserve_stock"]);

describe.each(Object.entries(clients))("%s", (_, connect) => {
  it("lists the registries' contents in order", async () => {
    const client = await connect();
    const listed = await client.listTools();
    expect(listed.tools.map((tool) => tool.name)).toEqual(tools.map(({ name }) => name));
    for (const tool of listed.tools) {
      expect(tool.title).toBeTruthy();
      expect(tool.annotations?.title).toBe(tool.title);
      expect(tool.description).toMatch(/Examples?: \{/);
      expect(tool.annotations).toMatchObject({
        readOnlyHint: !writes.has(tool.name),
        destructiveHint: destructive.has(tool.name),
        openWorldHint: false,
      });
      expect(tool.inputSchema.type).toBe("object");
      expect(tool.outputSchema?.type).toBe("object");
    }
    const listedPrompts = await client.listPrompts();
    expect(listedPrompts.prompts.map((prompt) => prompt.name)).toEqual(
      prompts.map((prompt) => prompt.definition.name),
    );
    const resources = await client.listResources();
    expect(resources.resources.map((resource) => resource.uri)).toEqual([
      "catalog://products/summary",
      "catalog://categories",
      "data://customers/summary",
    ]);
    const templates = await client.listResourceTemplates();
    expect(templates.resourceTemplates.map((template) => template.uriTemplate)).toEqual([
      "catalog://products/{sku}",
    ]);
    await client.close();
  });

  // After tools/list the clients validate structuredContent against outputSchema themselves.
  it.each(Object.entries(calls))("calls %s", async (name, examples) => {
    const client = await connect();
    await client.listTools();
    for (const args of examples) {
      const result = await client.callTool({ name, arguments: args });
      expect(result.isError ?? false).toBe(false);
      expect(result.structuredContent).toBeTypeOf("object");
      expect(result.content).toMatchObject([{ type: "text", text: expect.stringMatching(/\S/) }]);
    }
    await client.close();
  });

  it("reads every resource", async () => {
    const client = await connect();
    for (const uri of [
      "catalog://products/summary",
      "catalog://categories",
      "catalog://products/SKU-10001",
      "data://customers/summary",
    ]) {
      const { contents } = await client.readResource({ uri });
      expect(contents).toMatchObject([{ uri, mimeType: "text/plain", text: expect.stringMatching(/^\{/) }]);
    }
    await client.close();
  });

  it.each(Object.entries(promptArguments))(
    "gets the prompt %s with live data in it as text",
    async (name, args) => {
      const client = await connect();
      const { messages } = await client.getPrompt({ name, arguments: args });
      const texts = messages.map(({ content }) => (content.type === "text" ? content.text : ""));
      expect(texts.slice(1)).not.toEqual([]);
      for (const text of texts.slice(1)) expect(text).toMatch(/^catalog:\/\/\S+\n\{".*\}$/s);
      await client.close();
    },
  );

  it("completes SKUs and categories", async () => {
    const client = await connect();
    const template = { type: "ref/resource" as const, uri: "catalog://products/{sku}" };
    const skus = await client.complete({ ref: template, argument: { name: "sku", value: "SKU-100" } });
    expect(skus.completion).toMatchObject({
      values: ["SKU-10001", "SKU-10002", "SKU-10003"],
      hasMore: false,
    });
    const compare = { type: "ref/prompt" as const, name: "compare_products" };
    const list = await client.complete({
      ref: compare,
      argument: { name: "skus", value: "SKU-10001, SKU-12" },
    });
    expect(list.completion.values).toEqual(["SKU-10001, SKU-12847"]);
    const find = { type: "ref/prompt" as const, name: "find_product" };
    const categories = await client.complete({ ref: find, argument: { name: "category", value: "elec" } });
    expect(categories.completion.values).toEqual(["Electronics"]);
    await client.close();
  });
});
