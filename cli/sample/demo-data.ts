import { generateDesk } from "./generate-desk.ts";
import { generateProducts } from "./generate.ts";

// The made-up shop that an empty database is filled with. Its orders refer to its products.

export interface DeskSize {
  customers: number;
  seed: number;
}
export const DESK_SIZE: DeskSize = { customers: 600, seed: 1 };

export const sampleProducts = () => generateProducts(400, 1);
export const sampleDesk = ({ customers, seed } = DESK_SIZE) =>
  generateDesk(customers, seed, [...sampleProducts()]);
