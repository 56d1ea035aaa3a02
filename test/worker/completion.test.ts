import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { createCatalog } from "../../src/catalog/repository.ts";
import { ensureMigrated } from "../../src/database/migrate.ts";

beforeAll(async () => {
  await ensureMigrated(env.DB);
  const aisles = Array.from({ length: 1_001 }, (_, index) => `Aisle ${String(index).padStart(4, "0")}`);
  await env.DB.prepare("INSERT INTO categories (name, active_products) SELECT value, 1 FROM json_each(?)")
    .bind(JSON.stringify([...aisles, "Zithers"]))
    .run();
});

it.each([
  ["Zi", ["Zithers"]],
  ["zITH", ["Zithers"]],
  ["Aisle 100", ["Aisle 1000"]],
  ["nothing", []],
])("completes %j among more than a thousand categories", async (typed, found) => {
  expect(await createCatalog(env.DB).categoriesStartingWith(typed, 20)).toEqual(found);
});
