import { Command, type Option } from "commander";
import { sayFailure } from "./failure.ts";
import { type Flag, lostFlags } from "./npm-flags.ts";
import { PROGRAM } from "./program.ts";

/** Flags of wrangler that no npm script here has: each is refused, because without its flag the script would do something else. */
const WRANGLER_FLAGS = [
  "config",
  "domain",
  "domains",
  "env",
  "env-file",
  "keep-vars",
  "name",
  "route",
  "routes",
  "var",
];

/** A command that refuses to run if npm took one of its flags. */
class ProjectCommand extends Command {
  override createCommand(name?: string): Command {
    return new ProjectCommand(name);
  }

  override parse(): this {
    refuseLostFlags(this);
    return super.parse();
  }

  override parseAsync(): Promise<this> {
    refuseLostFlags(this);
    return super.parseAsync();
  }
}

/**
 * Creates the command that cli/commands.ts lists under `name`. An invalid option of it or of a subcommand
 * points to --help.
 */
export function commandOf(name: string): Command {
  // `… | head` closes the pipe early, which is not a failure.
  process.stdout.on("error", (error) => process.exit("code" in error && error.code === "EPIPE" ? 0 : 1));
  return new ProjectCommand(`npx ${PROGRAM} ${name}`)
    .helpOption("-h, --help", "show this help")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(See --help.)")
    .configureOutput({ outputError: (text) => sayFailure(text.trim()) });
}

function refuseLostFlags(command: Command): void {
  // Other scripts, such as `npm test`, start commands too, and their flags are their own.
  if (process.env["npm_lifecycle_script"]?.includes(`bin/${PROGRAM}.mjs`) !== true) return;
  const foreign = WRANGLER_FLAGS.map((name): Flag => ({ name, accepts: () => true }));
  const problem = lostFlags([...flagsOf(command), ...foreign], process.argv.slice(2), process.env);
  if (problem !== undefined) throw new Error(problem);
}

function flagsOf(command: Command): Flag[] {
  const own = command.options.map((option): Flag => {
    const name = (option.long ?? "").replace(/^--/, "");
    if (option.isBoolean()) return { name };
    return { name, accepts: (word) => isAccepted(option, word), isVariadic: option.variadic };
  });
  return [...own, ...command.commands.flatMap(flagsOf)];
}

function isAccepted({ parseArg }: Option, word: string): boolean {
  try {
    parseArg?.(word, undefined);
    return true;
  } catch {
    return false;
  }
}
