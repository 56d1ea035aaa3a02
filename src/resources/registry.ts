import { categoriesResource } from "./categories.ts";
import { customersSummaryResource } from "./customers-summary.ts";
import { productResource } from "./product.ts";
import type { Resource, ResourceTemplate } from "./resource.ts";
import { summaryResource } from "./summary.ts";

/** Every resource and template, in the order that clients see. A fixed URI wins over a template. */
export const resources: readonly Resource[] = [summaryResource, categoriesResource, customersSummaryResource];
export const resourceTemplates: readonly ResourceTemplate[] = [productResource];
