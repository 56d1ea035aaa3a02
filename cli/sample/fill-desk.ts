import { fillSupport } from "../../src/support/import/statements.ts";
import type { LocalServer } from "../local/server.ts";
import { generateDesk } from "./generate-desk.ts";
import { generateProducts } from "./generate.ts";

export interface DeskSize {
  customers: number;
  seed: number;
}
export const DESK_SIZE: DeskSize = { customers: 600, seed: 1 };

/** The sample catalog of `npm run dev`. The sample orders refer to these products. */
const SAMPLE_PRODUCTS = { count: 400, seed: 1 };

export const sampleProducts = () => generateProducts(SAMPLE_PRODUCTS.count, SAMPLE_PRODUCTS.seed);
export const sampleDesk = ({ customers, seed }: DeskSize) =>
  generateDesk(customers, seed, [...sampleProducts()]);

/** Fills the support desk of a server on this machine. Returns false if it already has customers. */
export async function fillDeskWhereEmpty(server: LocalServer, size: DeskSize = DESK_SIZE): Promise<boolean> {
  const [known = []] = await server.batch([{ sql: "SELECT id FROM customers LIMIT 1", values: [] }]);
  if (known.length > 0) return false;
  await server.batch(fillSupport(sampleDesk(size)));
  return true;
}
