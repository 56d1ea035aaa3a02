import { type Labels, NOWHERE } from "../../src/flow/labels.ts";

/** Where traces say whom and what an answer held, whichever tool it was. */
const RESULTS = { subjects: ["subjects[]"], objects: ["products[]"] };

const catalog = (args: string[], records: number, page?: NonNullable<Labels["cost"]["page"]>): Labels => ({
  classes: ["catalog"],
  kinds: ["source"],
  subjects: NOWHERE,
  objects: { arguments: args, results: RESULTS.objects },
  cost: { records, bytes: 64_000, ...(page !== undefined && { page }) },
});
const personal = (
  classes: Labels["classes"],
  { subjects = [], objects = [], records }: { subjects?: string[]; objects?: string[]; records: number },
): Labels => ({
  classes,
  kinds: ["source"],
  subjects: { arguments: subjects, results: RESULTS.subjects },
  objects: { arguments: objects, results: [] },
  cost: { records, bytes: 64_000 },
});

/** The tools that traces know. They name products by `id`, our tools by `sku`: both are looked for. */
export const TRACE_LABELS: ReadonlyMap<string, Labels> = new Map([
  ["search_products", catalog([], 50, { argument: "limit", default: 10 })],
  ["get_product", catalog(["id", "sku"], 1)],
  ["query_stock", catalog(["sku", "id", "skus[]"], 50)],
  ["list_categories", { ...catalog([], 200), objects: NOWHERE }],
  ["search_customers", personal(["identity"], { records: 20 })],
  ["get_customer", personal(["identity", "contact"], { subjects: ["customer_id"], records: 1 })],
  ["get_customer_orders", personal(["orders"], { subjects: ["customer_id"], records: 50 })],
  ["get_order", personal(["orders"], { objects: ["order_id"], records: 1 })],
  ["get_payment_methods", personal(["payment"], { subjects: ["customer_id"], records: 10 })],
]);
