// users: manages people and services, and makes the first admin, on this machine or on a deployed server.

import { roleNames, idInPath } from "./arguments.ts";
import { CODE_VARIABLE, KEY_VARIABLE } from "./admin/client.ts";
import { adminCommand } from "./admin/console.ts";
import { migrateRemote, openSqlFile } from "./remote-sql.ts";
import { withServer } from "./local/server.ts";
import type { Statement } from "../src/database/statement.ts";

const admin = adminCommand("users");
const { program } = admin;
// Loaded after the command is set up: these modules read policy.json, and the command reports it if that is
// not JSON.
const { bootstrapAdmin, userIdSchema } = await import("../src/identity/administration.ts");
const { newRecoveryCode, setRecoveryCode } = await import("../src/identity/recovery-code.ts");
const { ROLES } = await import("../src/identity/scopes.ts");

program.description("Manage people and services.").addHelpText("after", `Roles: ${ROLES.join(", ")}.`);
admin.listing("/users", [
  "id",
  "kind",
  "name",
  "customer_id",
  "created_at",
  "created_by",
  "disabled_at",
  "roles",
]);
program
  .command("add <id>")
  .description("Add a user.")
  .requiredOption("--name <name>", "the user's name")
  .requiredOption("--roles <role...>", "roles", roleNames)
  .option("--service", "a service, not a person")
  .option("--customer <id>", "the customer whose own rows the user may see")
  .action((id: string, options: { name: string; roles: string[]; service?: boolean; customer?: string }) =>
    admin.send("POST", "/users", {
      id,
      name: options.name,
      roles: options.roles,
      kind: options.service === true ? "service" : "user",
      customer_id: options.customer,
      recovery_code: process.env[CODE_VARIABLE],
    }),
  );
program
  .command("roles")
  .description("Set a user's roles.")
  .argument("<id>", "the user's id", idInPath)
  .argument("<role...>", "the complete list of roles", roleNames)
  .option("--customer <id>", "the customer whose own rows the user may see")
  .action((id: string, roles: string[], { customer }: { customer?: string }) =>
    admin.send("PUT", `/users/${encodeURIComponent(id)}/roles`, { roles, customer_id: customer }),
  );
for (const [verb, about] of [
  ["disable", "Refuse every request of the user at once."],
  ["enable", "Admit a disabled user again."],
] as const)
  program
    .command(verb)
    .description(about)
    .argument("<id>", "the user's id", idInPath)
    .action((id: string) => admin.send("POST", `/users/${encodeURIComponent(id)}/${verb}`));
program
  .command("delete")
  .description("Delete a user and their credentials for good. The audit stays, and the id is never reused.")
  .argument("<id>", "the user's id", idInPath)
  .action((id: string) => admin.send("DELETE", `/users/${encodeURIComponent(id)}`));
program
  .command("bootstrap <id>")
  .description("Make the first admin, and show the access key once.")
  .option("--remote", "in the deployed database, through wrangler")
  .action(bootstrap);
program
  .command("recovery-code")
  .description("Make a new recovery code, show it once, and revoke the old one.")
  .option("--remote", "in the deployed database, through wrangler")
  .action(makeRecoveryCode);

await admin.run();

async function bootstrap(text: string, { remote }: { remote?: boolean }): Promise<void> {
  const { data: id, error } = userIdSchema.safeParse(text);
  if (id === undefined)
    throw new Error(`${text} is not a valid user id: ${error?.issues[0]?.message ?? "it is malformed"}`);
  const { secret, recoveryCode, statements } = bootstrapAdmin(id, Date.now());
  if (remote === true) await runRemotely(statements);
  else
    await withServer({ stateDir: admin.options().state }, async (server) => {
      // The audit record comes first, because a statement that fails is an error in the server's log.
      const [[made] = [], [user] = []] = await server.batch([
        { sql: "SELECT user_id FROM bootstrap", values: [] },
        { sql: "SELECT id FROM users WHERE id = ?1", values: [id] },
      ]);
      if (made !== undefined) throw new Error(`The first admin already exists: ${String(made["user_id"])}.`);
      if (user !== undefined) throw new Error(`The user ${id} already exists. Choose another id.`);
      await server.batch(statements);
    });
  admin.print(
    { id, key: secret, recovery_code: recoveryCode },
    `${id} is an admin. Access key, shown once:\n${secret}\nKeep it. Set ${KEY_VARIABLE} to it for the commands that manage the server.\n${codeWords(recoveryCode)}`,
  );
}

/**
 * Only a person with database access can make the code: if an admin's key were enough, a thief of the key
 * could make one too.
 */
async function makeRecoveryCode({ remote }: { remote?: boolean }): Promise<void> {
  const { code, hash } = newRecoveryCode();
  const statements = [setRecoveryCode(hash, Date.now())];
  if (remote === true) await runRemotely(statements);
  else await withServer({ stateDir: admin.options().state }, (server) => server.batch(statements));
  admin.print({ recovery_code: code }, codeWords(code));
}

async function runRemotely(statements: Statement[]): Promise<void> {
  await migrateRemote();
  const file = await openSqlFile();
  await file.write(statements);
  await file.send();
}

function codeWords(code: string): string {
  return `Recovery code, shown once:\n${code}\nPrint it, and keep it where no program can read it. A sole admin needs it to decide about their own stopped work and to vouch for new users (${CODE_VARIABLE}).`;
}
