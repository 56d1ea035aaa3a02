import * as z from "zod";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { paymentMethodSchema } from "../support/customer.ts";
import { customerIdSchema } from "../support/ids.ts";
import { unknownCustomer } from "../support/unknown.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

export const getPaymentMethods = defineTool({
  name: "get_payment_methods",
  version: 1,
  title: "Payment methods of a customer",
  description: `How one customer pays: card brand and last four digits. There are no full numbers, here or anywhere else.
Use it where a payment or refund is asked about, not to get to know a customer.`,
  examples: [{ customer_id: "C-10042" }],
  annotations: READ_ONLY,
  scope: "support:read",
  labels: {
    classes: ["payment"],
    kinds: ["source"],
    subjects: { arguments: ["customer_id"], results: ["customer_id"] },
    objects: NOWHERE,
    cost: { records: 20, bytes: 4_000 },
  },
  input: z.strictObject({ customer_id: customerIdSchema }),
  output: z.strictObject({ customer_id: customerIdSchema, payment_methods: z.array(paymentMethodSchema) }),

  async run({ customer_id }, { support }) {
    const methods = await support.paymentMethods(customer_id);
    if (methods === undefined) return unknownCustomer;
    return ok(answered({ customer_id, payment_methods: methods.value }, methods.signals));
  },

  text: ({ customer_id, payment_methods }) =>
    payment_methods.length === 0
      ? `${customer_id} has no payment method.`
      : [
          `Payment methods of ${customer_id}:`,
          ...payment_methods.map(
            ({ brand, last4, preferred }) => `${brand} ending in ${last4}${preferred ? " (preferred)" : ""}`,
          ),
        ].join("\n"),
});
