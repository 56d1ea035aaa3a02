import { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { basename } from "node:path";

/** The programs that this process starts, and that may outlive it if it is killed. */
export type Program = "workerd" | "esbuild";

/**
 * Follows the processes of a program that this process starts, and calls `onChange` with all their ids when a new one appears: some
 * start late, and others with every reload. Returns a function that stops it.
 */
export function followProgram(program: Program, onChange: (pids: number[]) => void): () => void {
  const pids = new Set<number>();
  const noteChild = (message: unknown) => {
    if (typeof message !== "object" || message === null || !("process" in message)) return;
    const { process: child } = message;
    if (!(child instanceof ChildProcess)) return;
    child.once("spawn", () => {
      const { pid, spawnfile } = child;
      if (pid === undefined || !basename(spawnfile).startsWith(program)) return;
      pids.add(pid);
      child.once("exit", () => pids.delete(pid));
      onChange([...pids]);
    });
  };
  subscribe("child_process", noteChild);
  return () => unsubscribe("child_process", noteChild);
}
