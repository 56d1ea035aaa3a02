import type { Command } from "commander";
import * as z from "zod";
import { idInPath } from "../arguments.ts";
import { commandOf } from "../command.ts";
import { sayFailure } from "../failure.ts";
import { DEFAULT_STATE_DIR } from "../local/server.ts";
import { type AdminOptions, KEY_VARIABLE, callAdmin } from "./client.ts";
import { type Column, type Row, listTable } from "./lists.ts";
import { readPages, sayMore } from "./pages.ts";

const rowSchema = z.record(z.string(), z.string().nullable());
/** A page of a list under the list's name, and the cursor of the next page. */
const listSchema = z.object({ next: z.string().nullable() }).catchall(z.array(rowSchema));
const madeSchema = z.looseObject({ id: z.string(), key: z.string().optional() });
const revokedSchema = z.object({ id: z.string(), revoked_at: z.string().optional() });

/** Further query parameters of a list, by name. */
type Query = Record<string, string | undefined>;
interface Listing {
  all: boolean;
  columns: readonly Column[];
  /** Lines to print after the table. */
  after?: (rows: readonly Row[]) => string[];
}

/** Creates a command that talks to the admin API, with what such commands share. */
export function adminCommand(name: string) {
  const program = commandOf(name)
    .option("--url <url>", "the server (default: the running npm run dev)")
    .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nSet ${KEY_VARIABLE} to an admin's access key. On this machine the demo admin's key is the default.`,
    );
  const options = () => program.opts<AdminOptions>();

  /** Prints an answer as JSON if that is asked for, else as text. */
  const print = (value: unknown, text: string) =>
    console.log(options().json === true ? JSON.stringify(value) : text);

  const call = async (method: string, path: string, body?: object): Promise<unknown> =>
    (await callAdmin(options(), method, path, body)).json();

  const show = (
    made: { id: string; key?: string | undefined; secret?: string | undefined },
    done = "Done",
  ) => {
    const secret = made.key ?? made.secret;
    print(made, secret === undefined ? `${done}: ${made.id}` : `${made.id}, shown once:\n${secret}`);
  };

  async function list(path: string, query: Query, { all, columns, after }: Listing): Promise<void> {
    const { rows, more } = await readPages(query, all, async (asked) => {
      const { next, ...lists } = listSchema.parse(await call("GET", `${path}${asked}`));
      return { rows: Object.values(lists).flat(), next };
    });
    const lines = rows.length === 0 ? ["None."] : [listTable(rows, columns), ...(after?.(rows) ?? [])];
    print(rows, lines.join("\n"));
    if (more) sayMore();
  }

  return {
    program,
    options,
    print,
    call,
    show,
    list,
    /** `done` is the word before the id of what was changed. */
    send: async (method: string, path: string, body?: object, done?: string): Promise<void> =>
      show(madeSchema.parse(await call(method, path, body)), done),

    /** Adds the subcommand `list`; a list of keys can be narrowed to one user. */
    listing: (path: string, columns: readonly Column[]): Command => {
      const command = program
        .command("list")
        .description("List them, newest first.")
        .option("--all", "print all rows, not the first 100");
      if (path !== "/users") command.option("--user <id>", "only this user's");
      return command.action(({ all, user }: { all?: boolean; user?: string }) =>
        list(path, { user }, { all: all === true, columns }),
      );
    },

    /** Adds the subcommand `revoke`, which says so if the key was revoked before. */
    revoking: (path: string): Command =>
      program
        .command("revoke")
        .description("Refuse a key from now on.")
        .argument("<id>", "the key's id", idInPath)
        .action(async (id: string) => {
          const answer = revokedSchema.parse(await call("POST", `${path}/${encodeURIComponent(id)}/revoke`));
          const before = answer.revoked_at;
          print(answer, before === undefined ? `Done: ${id}` : `${id} was already revoked at ${before}.`);
        }),

    /** Runs the command; an error ends it with this exit code. */
    async run(failed = 1): Promise<void> {
      try {
        await program.parseAsync();
      } catch (error) {
        sayFailure(error);
        process.exitCode = failed;
      }
    },
  };
}
