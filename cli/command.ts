import { Command } from "commander";

/**
 * Creates a command of this project, called as `usage` says. An invalid option of it or of a subcommand
 * points to --help. Any later error prints its message without a stack and exits with code 1.
 */
export function commandOf(usage: string): Command {
  process.once("uncaughtException", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  return new Command(usage).helpOption("-h, --help", "show this help").showHelpAfterError("(See --help.)");
}
