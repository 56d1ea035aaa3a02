import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { readDemoKeys } from "../../../cli/local/demo-keys.ts";
import { findServer } from "../../../cli/local/server.ts";
import { CALL, SERVING } from "../../node/support/forms/serving.ts";
import { startIn, testForms } from "../support/test-forms.ts";

testForms(SERVING, async (folder) => {
  await writeFile(
    join(folder, "shop.csv"),
    "sku,name,category,price,currency,stock.east\nMUG-1,Blue mug,Kitchen,19.99,EUR,12\n",
  );
  await startIn("npm run -s dev -- --port 0").prints("Ctrl-C");
  await callAs(join(folder, ".wrangler/state"), ["user-001", "user-support"]);
});

/** Each user makes one call, so that there are chains to export. */
async function callAs(state: string, users: string[]): Promise<void> {
  const server = await findServer(state);
  const keys = await readDemoKeys(state);
  for (const user of users) {
    const response = await fetch(new URL("/mcp", server?.url), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        authorization: `Bearer ${keys[user]}`,
      },
      body: CALL,
    });
    expect(await response.text()).toContain("Electronics");
  }
}
