import { BIN, start } from "./processes.ts";

const known = new Map<string, Promise<string>>();

/** Returns what a command of cli/commands.ts prints for --help. Each is started once. */
export function helpOf(command: string): Promise<string> {
  const help =
    known.get(command) ??
    start(process.execPath, [BIN, ...command.split(" "), "--help"]).ended.then(({ stdout }) => stdout);
  known.set(command, help);
  return help;
}
