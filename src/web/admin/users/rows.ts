import * as z from "zod";
import { jsonText } from "../../../database/json-text.ts";

// Users and keys as the lists of src/identity/lists.ts have them. Times are ISO 8601.

const time = z.string();

export const listedUserRow = z.object({
  id: z.string(),
  kind: z.enum(["user", "service"]),
  name: z.string(),
  customer_id: z.string().nullable(),
  created_at: time,
  created_by: z.string().nullable(),
  disabled_at: time.nullable(),
  /** Names, joined by commas; null for none. */
  roles: z.string().nullable(),
});
/** A user with the number of keys that are neither revoked nor expired. */
export type ListedUser = z.output<typeof listedUserRow> & { keys: number };

const keyRow = z.object({
  id: z.string(),
  label: z.string(),
  created_at: time,
  expires_at: time.nullable(),
  last_used_at: time.nullable(),
  revoked_at: time.nullable(),
});
export const accessKeyRow = keyRow.extend({
  /** The roles that the key is narrowed to; null for all of its owner's. */
  roles: jsonText.pipe(z.array(z.string())).nullable(),
  signature: z.string(),
  created_by: z.string().nullable(),
});
export type AccessKey = z.output<typeof accessKeyRow>;
export const signingKeyRow = keyRow.extend({ algorithm: z.string() });
export type SigningKey = z.output<typeof signingKeyRow>;
