import { createHmac } from "node:crypto";
import type { Settings } from "../env.ts";
import type { Incident } from "./incident-record.ts";

const WEBHOOK_DEADLINE_MS = 5_000;

/** `refused`: the receiver answered, and rejected this message. */
export type WebhookAnswer = { status: "taken" } | { status: "refused"; http: number };

/** Posts an incident to the webhook, if one is set. Throws like postMessage(). */
export const postToWebhook = (settings: Settings, incident: Incident, now: number): Promise<WebhookAnswer> =>
  postMessage(
    settings,
    {
      id: `${incident.id}.${incident.count}.${incident.status}`,
      type: "flow.incident",
      data: incident,
    },
    now,
  );

/**
 * Posts a message to the webhook, if one is set, signed by Standard Webhooks (https://www.standardwebhooks.com). A retry
 * uses the same id. Throws if the webhook is down, rejects every message or does not answer in time.
 */
export async function postMessage(
  { INCIDENT_WEBHOOK_URL: url, INCIDENT_WEBHOOK_SECRET: secret }: Settings,
  { id, type, data }: { id: string; type: string; data: object },
  now: number,
): Promise<WebhookAnswer> {
  if (url === undefined || secret === undefined) return { status: "taken" };
  const body = JSON.stringify({ type, timestamp: new Date(now).toISOString(), data });
  const sentAt = String(Math.floor(now / 1000));
  const late = new AbortController();
  // AbortSignal.timeout would keep the object in memory for the whole time after an answer.
  const timer = setTimeout(() => late.abort(), WEBHOOK_DEADLINE_MS);
  const {
    ok,
    status,
    body: answer,
  } = await fetch(url, {
    method: "POST",
    // Following a redirect could send the incident to another host.
    redirect: "manual",
    signal: late.signal,
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": sentAt,
      "webhook-signature": `v1,${sign(secret, `${id}.${sentAt}.${body}`)}`,
    },
    body,
  }).finally(() => clearTimeout(timer));
  await answer?.cancel();
  if (ok) return { status: "taken" };
  if (REFUSALS.has(status)) return { status: "refused", http: status };
  throw new Error(`The incident webhook answered ${status}.`);
}

/** Standard Webhooks, "Symmetric signatures": the key is the base64 behind the prefix. */
const sign = (secret: string, signed: string): string =>
  createHmac("sha256", Buffer.from(secret.replace(/^whsec_/, ""), "base64"))
    .update(signed)
    .digest("base64");

/** Statuses that reject this one message. 401 or 404 would reject any message; 429 or 503 all messages for now. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 413, 415, 422]);
