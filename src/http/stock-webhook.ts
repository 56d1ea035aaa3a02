import { waitUntil } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import * as z from "zod";
import type { AppContext } from "../app-types.ts";
import { draftOf } from "../changes/change.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { DAY } from "../detection/window.ts";
import { dropOldChanges } from "../changes/old-changes.ts";
import { QUANTITY_MAX } from "../inventory/plan.ts";
import { deliverStock } from "../inventory/stock-delivery.ts";
import { logSurprise } from "../telemetry/log.ts";
import { clip, plainLine } from "../text/plain-text.ts";

/** Bytes of a delivery at most: its 500 quantities, with the longest names. */
export const DELIVERY_BODY_MAX = 128 * 1024;
const QUANTITIES_MAX = 500;
const ID_MAX = 200;

/** Names the webhook where other changes name a caller. No user's id has brackets. */
const SENDER = "(stock webhook)";

const line = z.string().overwrite(plainLine).min(1).max(64);
const deliverySchema = z.object({
  type: z.literal("stock.quantities"),
  data: z.object({
    quantities: z
      .array(
        z.object({
          sku: line,
          warehouse: line,
          quantity: z.int().min(0).max(QUANTITY_MAX),
          sequence: z.int().min(0),
        }),
      )
      .min(1)
      .max(QUANTITIES_MAX),
  }),
});

/** POST /webhooks/stock, signed by Standard Webhooks with STOCK_WEBHOOK_SECRET; 404 while that is not set. */
export async function stockWebhook(c: AppContext): Promise<Response> {
  const { STOCK_WEBHOOK_SECRET: secret } = c.var.settings;
  if (secret === undefined) return c.notFound();
  const body = await c.req.text();
  if (!isSigned(secret, body, c.req.header()))
    return c.json({ error: "The signature is missing, wrong or more than five minutes old." }, 401);
  const delivery = deliverySchema.safeParse(parseJson(body));
  if (!delivery.success) {
    const problems = delivery.error.issues
      .slice(0, 5)
      .map(({ path, message }) => ({ path: path.join("."), message }));
    return c.json({ error: "The delivery is not valid. Nothing was changed.", problems }, 400);
  }
  await ensureMigrated(c.env.DB);
  const reason = `Delivery ${clip(plainLine(c.req.header("webhook-id") ?? ""), ID_MAX)}`;
  const now = Date.now();
  const draft = draftOf("stock_webhook", { reason }, { principal: SENDER, now });
  const delivered = await deliverStock(c.env.DB, draft, delivery.data.data.quantities);
  // No caller's object rings for a delivery, so each deletes more old ones than it adds.
  const before = now - c.var.policy.retention.changes_days * DAY;
  const dropping = dropOldChanges(c.env.DB, { before, slices: 1 });
  waitUntil(dropping.catch((error: unknown) => logSurprise(error, { what: "old changes" })));
  return c.json(delivered);
}

function isSigned(secret: string, body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
