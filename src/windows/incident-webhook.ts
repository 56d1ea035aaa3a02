import { Webhook } from "standardwebhooks";
import type { Settings } from "../env.ts";
import type { Incident } from "./incidents.ts";

const WEBHOOK_DEADLINE_MS = 5_000;

/**
 * Tells the webhook, where one is set, signed as Standard Webhooks says (https://www.standardwebhooks.com).
 * Throws where it does not answer 2xx in time; it may then be told the same again, under the same webhook-id.
 */
export async function tellWebhook(
  { INCIDENT_WEBHOOK_URL: url, INCIDENT_WEBHOOK_SECRET: secret }: Settings,
  incident: Incident,
  now: number,
): Promise<void> {
  if (url === undefined || secret === undefined) return;
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
  if (!response.ok) throw new Error(`The incident webhook answered ${response.status}.`);
}
