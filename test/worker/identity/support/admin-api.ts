import { bearer, send } from "./deployed.ts";

/** Calls the admin API with an access key. */
export async function api(key: string, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { ...bearer(key), "content-type": "application/json" };
  return send(`/admin/api${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}
