import { beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { fill, product } from "./support/catalog.ts";
import { connectClient } from "./support/clients.ts";
import { signedInAs } from "./support/desk.ts";
import { newIdempotencyKey, stockOf } from "./support/stock.ts";

// A client that knows the tools only from tools/list does three steps, of which the third fails, and puts the first two right.

const SKU = "CHAIN-1";
beforeAll(() =>
  fill([
    product({
      sku: SKU,
      stock: [
        { warehouse: "east", quantity: 100 },
        { warehouse: "west", quantity: 40 },
      ],
    }),
  ]),
);

const schemaSchema = z.object({
  properties: z.record(z.string(), z.unknown()),
  required: z.array(z.string()),
});
const answerSchema = z.looseObject({
  isError: z.boolean().optional(),
  structuredContent: z.record(z.string(), z.unknown()),
});

it.each(["2026-07-28", "2025"] as const)(
  "three steps end as they began, by what the descriptions say (%s)",
  async (era) => {
    const client = await connectClient(era, await signedInAs(["inventory"]));
    const listed = new Map((await client.listTools()).tools.map((tool) => [tool.name, tool]));
    const use = async (name: string, args: Record<string, unknown>) => {
      const { properties } = schemaSchema.parse(listed.get(name)?.inputSchema);
      const keyed = Object.hasOwn(properties, "idempotency_key");
      return client.callTool({
        name,
        arguments: { reason: "Order 4711", ...args, ...(keyed && { idempotency_key: newIdempotencyKey() }) },
      });
    };
    /** Calls the tool that a step's description names for going back, with the ids that the step answered. */
    const putRight = async (name: string, says: RegExp, answered: Record<string, unknown>) => {
      const [, remedy = ""] = says.exec(listed.get(name)?.description ?? "") ?? [];
      const { required } = schemaSchema.parse(listed.get(remedy)?.inputSchema);
      const ids = Object.fromEntries(
        required.filter((argument) => argument in answered).map((argument) => [argument, answered[argument]]),
      );
      return answerSchema.parse(await use(remedy, ids));
    };
    const before = await availableOf(client);

    const held = answerSchema.parse(
      await use("reserve_stock", { items: [{ sku: SKU, warehouse: "east", quantity: 3 }] }),
    );
    const moved = answerSchema.parse(
      await use("update_inventory", { changes: [{ sku: SKU, warehouse: "west", delta: -2 }] }),
    );
    expect(await availableOf(client)).toBe(before - 5);
    const third = await use("update_inventory", {
      changes: [{ sku: SKU, warehouse: "east", delta: -1, expected_version: 99_999 }],
    });
    expect(third).toMatchObject({ isError: true });

    const undone = await putRight(
      "update_inventory",
      /Put a mistake right with (\w+)/,
      moved.structuredContent,
    );
    const released = await putRight("reserve_stock", /or (\w+) gives them back/, held.structuredContent);
    expect([undone.isError, released.isError]).toEqual([undefined, undefined]);
    expect(await availableOf(client)).toBe(before);
    expect(await stockOf(SKU, "west")).toMatchObject({ quantity: 40 });
    await client.close();
  },
);

async function availableOf(client: Awaited<ReturnType<typeof connectClient>>): Promise<number> {
  const { structuredContent } = await client.callTool({ name: "query_stock", arguments: { sku: SKU } });
  return z.object({ available: z.int() }).parse(structuredContent).available;
}
