// npm run admin: manages users, roles, access keys and signing keys, on this machine or on a deployed server.

import * as z from "zod";
import { commandOf } from "./command.ts";
import { idInPath, keyDays, roleNames } from "./arguments.ts";
import { remoteTarget } from "./import/targets.ts";
import {
  type AdminOptions,
  CODE_VARIABLE,
  KEY_VARIABLE,
  callAdmin,
  withAdminOptions,
} from "./admin/client.ts";
import { type Columns, INCIDENTS, KEYS, type Row, USERS, decideLines, listTable } from "./admin/lists.ts";
import { type PageOptions, type Query, readPages, sayNext, withPages } from "./admin/pages.ts";
import { addSigningKeyCommands } from "./admin/signing-keys.ts";
import { withServer } from "./local/server.ts";

const program = withAdminOptions(commandOf("npm run -s admin --"));
// Loaded after the command is set up: these modules read policy.json, and the command reports it if that is
// not JSON.
const { bootstrapAdmin, userIdSchema } = await import("../src/identity/administration.ts");
const { newRecoveryCode, setRecoveryCode } = await import("../src/identity/recovery-code.ts");
const { ROLES } = await import("../src/identity/scopes.ts");

program
  .description("Manage users, roles, access keys and signing keys.")
  .addHelpText("after", `Roles: ${ROLES.join(", ")}.`);
const globals = () => program.opts<AdminOptions>();
const rowSchema = z.record(z.string(), z.string().nullable());
/** A page of a list under the list's name, and the cursor of the next page. */
const listSchema = z.object({ next: z.string().nullable() }).catchall(z.array(rowSchema));

const users = program.command("users").description("Manage people and services.");
withPages(users.command("list").description("List users.")).action((page: PageOptions) =>
  list("/users", { ...page }, USERS),
);
users
  .command("add <id>")
  .description("Add a user.")
  .requiredOption("--name <name>", "the user's name")
  .requiredOption("--roles <role...>", "roles", roleNames)
  .option("--service", "a service, not a person")
  .option("--customer <id>", "the customer whose own rows the user may see")
  .action((id: string, options: { name: string; roles: string[]; service?: boolean; customer?: string }) =>
    send("POST", "/users", {
      id,
      name: options.name,
      roles: options.roles,
      kind: options.service === true ? "service" : "user",
      customer_id: options.customer,
      recovery_code: process.env[CODE_VARIABLE],
    }),
  );
users
  .command("roles")
  .description("Set a user's roles.")
  .argument("<id>", "the user's id", idInPath)
  .argument("<role...>", "the complete list of roles", roleNames)
  .option("--customer <id>", "the customer whose own rows the user may see")
  .action((id: string, roles: string[], { customer }: { customer?: string }) =>
    send("PUT", `/users/${encodeURIComponent(id)}/roles`, { roles, customer_id: customer }),
  );
for (const verb of ["disable", "enable"]) {
  users
    .command(verb)
    .description(
      verb === "disable" ? "Refuse every request of the user at once." : "Admit a disabled user again.",
    )
    .argument("<id>", "the user's id", idInPath)
    .action((id: string) => send("POST", `/users/${encodeURIComponent(id)}/${verb}`));
}

users
  .command("delete")
  .description("Delete a user and their credentials for good. The audit stays, and the id is never reused.")
  .argument("<id>", "the user's id", idInPath)
  .action((id: string) => send("DELETE", `/users/${encodeURIComponent(id)}`));

const keys = program.command("keys").description("Manage access keys.");
withPages(
  keys
    .command("list")
    .description("List keys, newest first. Secrets are not stored.")
    .option("--user <id>", "only this user's keys"),
).action(({ user, ...page }: PageOptions & { user?: string }) => list("/keys", { ...page, user }, KEYS));
keys
  .command("create")
  .description("Make a key, and show it once.")
  .requiredOption("--user <id>", "the user of the key")
  .requiredOption("--label <label>", "the purpose of the key")
  .option("--roles <role...>", "limit the key to these of the user's roles", roleNames)
  .option("--days <number>", "days until it expires", keyDays)
  .option("--require-signature", "refuse unsigned requests with this key (docs/signing.md)")
  .action(
    (options: { user: string; label: string; roles?: string[]; days?: number; requireSignature?: boolean }) =>
      send("POST", "/keys", {
        user: options.user,
        label: options.label,
        roles: options.roles,
        expires_in_days: options.days,
        signature: options.requireSignature === true ? "required" : "optional",
        recovery_code: process.env[CODE_VARIABLE],
      }),
  );
keys
  .command("revoke")
  .description("Refuse a key from now on.")
  .argument("<id>", "the key's id", idInPath)
  .action((id: string) => revoke("keys", id));

addSigningKeyCommands(program, { list, revoke, call, show });

withPages(
  program
    .command("incidents")
    .description("List incidents, those that wait for a decision first, with the page to decide on.")
    .option("--open", "only open incidents")
    .option(
      "--folded <rule>",
      "list the anonymous callers' incidents of this rule, which the list shows as one row",
    ),
).action(({ open, ...page }: PageOptions & { open?: boolean; folded?: string }) =>
  list("/incidents", { ...page, which: open === true ? "open" : undefined }, INCIDENTS),
);

const revokedSchema = z.object({ id: z.string(), revoked_at: z.string().optional() });

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

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function bootstrap(id: string, { remote }: { remote?: boolean }): Promise<void> {
  const { secret, recoveryCode, statements } = bootstrapAdmin(userIdOf(id), Date.now());
  if (remote === true) {
    const target = await remoteTarget(true);
    await target.run(statements);
    await target.finish();
  } else {
    await withServer({ stateDir: globals().state }, async (server) => {
      // The audit record comes first, because a statement that fails is an error in the server's log.
      const [[made] = [], [user] = []] = await server.batch([
        { sql: "SELECT user_id FROM bootstrap", values: [] },
        { sql: "SELECT id FROM users WHERE id = ?1", values: [id] },
      ]);
      if (made !== undefined) throw new Error(`The first admin already exists: ${String(made["user_id"])}.`);
      if (user !== undefined) throw new Error(`The user ${id} already exists. Choose another id.`);
      await server.batch(statements);
    });
  }
  if (globals().json === true) console.log(JSON.stringify({ id, key: secret, recovery_code: recoveryCode }));
  else
    console.log(
      `${id} is an admin. Access key, shown once:\n${secret}\nKeep it. Set ${KEY_VARIABLE} to it for npm run admin.\n${codeWords(recoveryCode)}`,
    );
}

/**
 * Only a person with database access can make the code: if an admin's key were enough, a thief of the key
 * could make one too.
 */
async function makeRecoveryCode({ remote }: { remote?: boolean }): Promise<void> {
  const { code, hash } = newRecoveryCode();
  const statements = [setRecoveryCode(hash, Date.now())];
  if (remote === true) {
    const target = await remoteTarget(true);
    await target.run(statements);
    await target.finish();
  } else await withServer({ stateDir: globals().state }, (server) => server.batch(statements));
  console.log(globals().json === true ? JSON.stringify({ recovery_code: code }) : codeWords(code));
}

function codeWords(code: string): string {
  return `Recovery code, shown once:\n${code}\nPrint it, and keep it where no program can read it. A sole admin needs it to decide about their own stopped work and to vouch for new users (${CODE_VARIABLE}).`;
}

function userIdOf(text: string): string {
  const { data: id, error } = userIdSchema.safeParse(text);
  if (id === undefined)
    throw new Error(`${text} is not a valid user id: ${error?.issues[0]?.message ?? "it is malformed"}`);
  return id;
}

async function list(path: string, asked: PageOptions & Query, columns: Columns): Promise<void> {
  const { rows, next } = await pageOfRows(path, asked);
  if (globals().json === true) console.log(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) console.log("None.");
  else {
    console.log(listTable(rows, columns));
    for (const line of decideLines(rows)) console.log(line);
  }
  sayNext(next);
}

async function pageOfRows(
  path: string,
  asked: PageOptions & Query,
): Promise<{ rows: Row[]; next: string | null }> {
  return readPages(asked, async (query) => {
    const { next, ...lists } = listSchema.parse(await call("GET", `${path}${query}`));
    return { rows: Object.values(lists).flat(), next };
  });
}

/** Revokes a key, and says so if it was revoked before. */
async function revoke(kind: "keys" | "signing-keys", id: string): Promise<void> {
  const answer = revokedSchema.parse(await call("POST", `/${kind}/${encodeURIComponent(id)}/revoke`));
  const { revoked_at: before } = answer;
  if (before === undefined || globals().json === true) return show(answer);
  console.log(`${id} was already revoked at ${before}.`);
}

async function send(method: string, path: string, body?: object): Promise<void> {
  show(z.looseObject({ id: z.string(), key: z.string().optional() }).parse(await call(method, path, body)));
}

function show(made: { id: string; key?: string | undefined; secret?: string | undefined }): void {
  const secret = made.key ?? made.secret;
  if (globals().json === true) console.log(JSON.stringify(made));
  else if (secret === undefined) console.log(`Done: ${made.id}`);
  else console.log(`${made.id}, shown once:\n${secret}`);
}

async function call(method: string, path: string, body?: object): Promise<unknown> {
  return (await callAdmin(globals(), method, path, body)).json();
}
