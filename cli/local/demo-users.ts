import { writeFile } from "node:fs/promises";
import { type NewUser, addUser, createKey } from "../../src/identity/administration.ts";
import { BOOTSTRAP } from "../../src/identity/lineage.ts";
import { toId } from "../../src/support/ids.ts";
import { DEMO_CUSTOMER } from "../sample/generate-desk.ts";
import { demoKeysPath, readDemoKeys } from "./demo-keys.ts";
import type { LocalServer } from "./server.ts";

/** One user of each role, to try things with. They exist only on this machine. */
const DEMO_USERS: NewUser[] = [
  { id: "user-001", kind: "user", name: "Demo shopper", roles: ["shopper"] },
  {
    id: "user-customer",
    kind: "user",
    name: "Demo customer",
    roles: ["customer"],
    customer_id: toId("C", DEMO_CUSTOMER),
  },
  { id: "user-support", kind: "user", name: "Demo support agent", roles: ["support"] },
  { id: "user-inventory", kind: "user", name: "Demo stock keeper", roles: ["inventory"] },
  { id: "user-admin", kind: "user", name: "Demo admin", roles: ["admin"] },
];

const MAKER = { by: BOOTSTRAP };

/** Returns the demo users' access keys by user id. Creates users and keys if the database has no user yet. */
export async function demoKeys(server: LocalServer, stateDir: string): Promise<Record<string, string>> {
  const [users = []] = await server.batch([{ sql: "SELECT id FROM users LIMIT 1", values: [] }]);
  if (users.length > 0) return readDemoKeys(stateDir);
  const now = Date.now();
  const made = DEMO_USERS.map((user) => ({
    user,
    key: createKey({ user: user.id, label: "demo" }, now, MAKER),
  }));
  await server.batch(made.flatMap(({ user, key }) => [...addUser(user, now, MAKER), key.statement]));
  const keys = Object.fromEntries(made.map(({ user, key }) => [user.id, key.secret]));
  await writeFile(demoKeysPath(stateDir), JSON.stringify(keys), { mode: 0o600 });
  return keys;
}
