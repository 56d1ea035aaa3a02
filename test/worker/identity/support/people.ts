import { env } from "cloudflare:workers";
import { ensureMigrated } from "../../../../src/database/migrate.ts";
import { runBatch } from "../../../../src/database/run-batch.ts";
import { type NewKey, addUser, createKey, newUserSchema } from "../../../../src/identity/administration.ts";

// Another file's object of the same name may still be in memory when this file's storage is empty.
const file = crypto.randomUUID().slice(0, 8);
let count = 0;

/** Creates a user for one test. */
export async function newUser(
  roles: string[] = ["shopper"],
  changes: { kind?: "user" | "service"; customer_id?: string } = {},
): Promise<string> {
  await ensureMigrated(env.DB);
  count += 1;
  const id = `person-${file}-${count}`;
  await runBatch(
    env.DB,
    addUser(newUserSchema.parse({ id, name: "A Person", roles, ...changes }), Date.now()),
  );
  return id;
}

export async function newKey(user: string, changes: Partial<NewKey> = {}) {
  const { id, secret, statement } = createKey({ user, label: "test", ...changes }, Date.now());
  await runBatch(env.DB, [statement]);
  return { id, secret };
}

/** Creates a user and returns their key. */
export async function keyOf(roles: string[]): Promise<string> {
  return (await newKey(await newUser(roles))).secret;
}
