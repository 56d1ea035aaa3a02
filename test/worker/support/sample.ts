import { generateDesk } from "../../../cli/sample/generate-desk.ts";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { fill } from "./catalog.ts";
import { fillDesk } from "./desk.ts";

/** Fills the catalog and the support desk with the sample that the tools' examples refer to. */
export async function fillSample(): Promise<void> {
  const products = [...generateProducts(400, 1)];
  await fill(products);
  await fillDesk(generateDesk(600, 1, products));
}
