// npm run admin: users, roles, access keys and signing keys, on this machine or deployed.

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
// Not before the command is there to say it: what is wrong with policy.json as JSON is known while these load.
const { bootstrapAdmin, userIdSchema } = await import("../src/identity/administration.ts");
const { newRecoveryCode, setRecoveryCode } = await import("../src/identity/recovery-code.ts");
const { ROLES } = await import("../src/identity/scopes.ts");

program
  .description("Manage users, roles, access keys and signing keys.")
  .addHelpText("after", `Roles: ${ROLES.join(", ")}.`);
const globals = () => program.opts<AdminOptions>();
const rowSchema = z.record(z.string(), z.string().nullable());
/** A list under its name, and where the next page begins. */
const listSchema = z.object({ next: z.string().nullable() }).catchall(z.array(rowSchema));

const users = program.command("users").description("people and services");
withPages(users.command("list").description("list users")).action((page: PageOptions) =>
  list("/users", { ...page }, USERS),
);
users
  .command("add <id>")
  .description("add a user")
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
  .description("set a user's roles")
  .argument("<id>", "the user's id", idInPath)
  .argument("<role...>", "all of them", roleNames)
  .option("--customer <id>", "the customer whose own rows the user may see")
  .action((id: string, roles: string[], { customer }: { customer?: string }) =>
    send("PUT", `/users/${encodeURIComponent(id)}/roles`, { roles, customer_id: customer }),
  );
for (const verb of ["disable", "enable"]) {
  users
    .command(verb)
    .description(
      verb === "disable" ? "refuse the user at once, whatever they hold" : "let a disabled user in again",
    )
    .argument("<id>", "the user's id", idInPath)
    .action((id: string) => send("POST", `/users/${encodeURIComponent(id)}/${verb}`));
}

users
  .command("delete")
  .description(
    "end all that a user can sign in with, for good; their audit stays, and nobody gets the id again",
  )
  .argument("<id>", "the user's id", idInPath)
  .action((id: string) => send("DELETE", `/users/${encodeURIComponent(id)}`));

const keys = program.command("keys").description("access keys");
withPages(
  keys
    .command("list")
    .description("list keys, the newest first; their secrets are kept nowhere")
    .option("--user <id>", "of one user"),
).action(({ user, ...page }: PageOptions & { user?: string }) => list("/keys", { ...page, user }, KEYS));
keys
  .command("create")
  .description("make a key, and show it once")
  .requiredOption("--user <id>", "whose key")
  .requiredOption("--label <label>", "what it is for")
  .option("--roles <role...>", "narrow the user's roles", roleNames)
  .option("--days <number>", "days until it expires", keyDays)
  .option("--require-signature", "refuse requests with this key that are not signed too (docs/signing.md)")
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
  .description("refuse a key from now on")
  .argument("<id>", "the key's id", idInPath)
  .action((id: string) => revoke("keys", id));

addSigningKeyCommands(program, { list, revoke, call, show });

withPages(
  program
    .command("incidents")
    .description("list incidents, those that wait for a person first, and where to decide about them")
    .option("--open", "open ones only")
    .option("--folded <rule>", "of callers without a name, those that one row of the list stands for"),
).action(({ open, ...page }: PageOptions & { open?: boolean; folded?: string }) =>
  list("/incidents", { ...page, which: open === true ? "open" : undefined }, INCIDENTS),
);

const revokedSchema = z.object({ id: z.string(), revoked_at: z.string().optional() });

program
  .command("bootstrap <id>")
  .description("make the first admin, once, and show its access key")
  .option("--remote", "in the deployed database, through wrangler")
  .action(bootstrap);
program
  .command("recovery-code")
  .description("make a new recovery code, show it once, and end the one before")
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
      // Asked first: a statement that fails is an error in the server's log.
      const [[made] = [], [user] = []] = await server.batch([
        { sql: "SELECT user_id FROM bootstrap", values: [] },
        { sql: "SELECT id FROM users WHERE id = ?1", values: [id] },
      ]);
      if (made !== undefined) throw new Error(`The first admin was made before: ${String(made["user_id"])}.`);
      if (user !== undefined) throw new Error(`There is a user ${id} already.`);
      await server.batch(statements);
    });
  }
  if (globals().json === true) console.log(JSON.stringify({ id, key: secret, recovery_code: recoveryCode }));
  else
    console.log(
      `${id} is an admin. Access key, shown once:\n${secret}\nKeep it, and set ${KEY_VARIABLE} to it for npm run admin.\n${codeWords(recoveryCode)}`,
    );
}

/** Only whoever holds the database can: an admin's key must not be enough, or who stole one could make a code too. */
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
  return `Recovery code, shown once:\n${code}\nPrint it, and keep it where no program can read it: with it, an admin who is alone decides about their own stopped work, and vouches for new users (${CODE_VARIABLE}).`;
}

function userIdOf(text: string): string {
  const { data: id, error } = userIdSchema.safeParse(text);
  if (id === undefined)
    throw new Error(`${text} can't be a user's id: ${error?.issues[0]?.message ?? "it is malformed"}`);
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

/** Says so of a key that was revoked before. */
async function revoke(kind: "keys" | "signing-keys", id: string): Promise<void> {
  const answer = revokedSchema.parse(await call("POST", `/${kind}/${encodeURIComponent(id)}/revoke`));
  const { revoked_at: before } = answer;
  if (before === undefined || globals().json === true) return show(answer);
  console.log(`${id} was revoked before, at ${before}.`);
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
