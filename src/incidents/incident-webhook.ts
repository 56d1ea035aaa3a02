import { Webhook } from "standardwebhooks";
import type { Settings } from "../env.ts";
import type { Incident } from "./incident-record.ts";

const WEBHOOK_DEADLINE_MS = 5_000;

/** `refused`: the receiver is there and does not take this message. */
export type WebhookAnswer = { status: "taken" } | { status: "refused"; http: number };

/**
 * Tells the webhook, where one is set, signed as Standard Webhooks says (https://www.standardwebhooks.com). What is not
 * taken may be told again, under the same webhook-id. Throws where no message would be taken now, or no answer comes in time.
 */
export async function tellWebhook(
  { INCIDENT_WEBHOOK_URL: url, INCIDENT_WEBHOOK_SECRET: secret }: Settings,
  incident: Incident,
  now: number,
): Promise<WebhookAnswer> {
  if (url === undefined || secret === undefined) return { status: "taken" };
  const id = `${incident.id}.${incident.count}.${incident.status}`;
  const body = JSON.stringify({
    type: "flow.incident",
    timestamp: new Date(now).toISOString(),
    data: incident,
  });
  const sentAt = new Date(now);
  const response = await fetch(url, {
    method: "POST",
    // A redirect would carry the incident to where nobody sent it.
    redirect: "manual",
    signal: AbortSignal.timeout(WEBHOOK_DEADLINE_MS),
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign(id, sentAt, body),
    },
    body,
  });
  await response.body?.cancel();
  const { ok, status } = response;
  if (ok) return { status: "taken" };
  if (REFUSALS.has(status)) return { status: "refused", http: status };
  throw new Error(`The incident webhook answered ${status}.`);
}

/** What is said of one message: 401 or 404 would be said of any, 429 or 503 of all for now. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 413, 415, 422]);
