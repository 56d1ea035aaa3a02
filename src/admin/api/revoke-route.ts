import { revokeAnyKey } from "../access-keys.ts";
import { type ApiContext, adminOf, answer, isoTime } from "./api-request.ts";

/** Answers a request to revoke the key that the path names. */
export async function revoke(c: ApiContext, kind: Parameters<typeof revokeAnyKey>[2]): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const revoked = await revokeAnyKey(c, adminOf(c), kind, id);
  if (!revoked.ok) return answer(c, revoked.refusal);
  const { revokedAt } = revoked.value;
  return c.json({ id, ...(revokedAt !== null && { revoked_at: isoTime(revokedAt) }) });
}
