import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { staffOnly } from "../support/unknown.ts";
import type { Resource } from "./resource.ts";

export const customersSummaryResource: Resource = {
  uri: "data://customers/summary",
  name: "customers-summary",
  title: "Support desk summary",
  description: "How many customers, orders and tickets of each status there are; counts only",
  scope: "support:read",
  labels: {
    // Counts are about nobody.
    classes: [],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: NOWHERE,
    cost: { records: 1, bytes: 1_000 },
  },

  async read({ support }) {
    return support.seesAll ? ok(answered(await support.summary(), { records: 1 })) : staffOnly;
  },
};
