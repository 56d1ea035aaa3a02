import { Command } from "commander";

/**
 * A command of this project, called as `usage` says. After a wrong option it points to --help, its subcommands too; what
 * goes wrong later is told in its message, without a stack, and ends it with exit code 1.
 */
export function commandOf(usage: string): Command {
  process.once("uncaughtException", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  return new Command(usage)
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("(--help says more)");
}
