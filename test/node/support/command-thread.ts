import { Console } from "node:console";
import { Readable, Writable } from "node:stream";
import { parentPort } from "node:worker_threads";
import { COMMANDS } from "../../../cli/commands.ts";
import { sayFailure } from "../../../cli/failure.ts";
import type { Asked } from "./run-command.ts";

// Runs commands one after another, each as cli/main.ts would run it in a process of its own. Packages and src/ stay loaded between
// them; only the command's own file is evaluated anew.

/** Collects what one command prints. */
class Output extends Writable {
  text = "";
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

// Commands listen for signals and for the end of their process.
process.setMaxListeners(0);

const exitCode = (): number => Number(process.exitCode ?? 0);

let runs = 0;
async function run({ name, args, env, input }: Asked) {
  const [stdout, stderr] = [new Output(), new Output()];
  for (const [key, value] of Object.entries({ stdout, stderr, stdin: Readable.from(input) }))
    Object.defineProperty(process, key, { value, configurable: true });
  globalThis.console = new Console(stdout, stderr);
  process.env = { ...env };
  process.exitCode = undefined;
  process.argv.splice(2, Infinity, ...args);
  let ended: { code: number; stdout: string; stderr: string } | undefined;
  const end = (code: number) => (ended ??= { code, stdout: stdout.text, stderr: stderr.text });
  // The real one would end the thread.
  process.exit = (code) => {
    end(code === undefined ? exitCode() : Number(code));
    throw new Error("The command has ended.");
  };
  const file = COMMANDS.find((command) => command.name === name)?.file;
  try {
    await import(new URL(`../../../${file}?run=${++runs}`, import.meta.url).href);
    return end(exitCode());
  } catch (error) {
    if (ended === undefined) sayFailure(error);
    return end(1);
  } finally {
    process.exitCode = undefined;
  }
}

parentPort?.on("message", async (asked: Asked) => parentPort?.postMessage(await run(asked)));
