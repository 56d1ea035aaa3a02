import { runCommand } from "./run-command.ts";

const known = new Map<string, Promise<string>>();

/** Returns what a command of cli/commands.ts prints for --help. Each is started once. */
export function helpOf(command: string): Promise<string> {
  const help = known.get(command) ?? runCommand(command, ["--help"]).then(({ stdout }) => stdout);
  known.set(command, help);
  return help;
}
