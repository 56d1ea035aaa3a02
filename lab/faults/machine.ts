// Faults of the machine: its clock, its processes and its disk.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { readLock } from "../../cli/local/lock-file.ts";
import { findServer } from "../../cli/local/server.ts";
import { ROOT } from "../../cli/wrangler.ts";
import { ANSWERED, codeOf } from "../support/codes.ts";
import { type Asked, METRICS, type Row, callsOf, idOf, keptOf, retry, rowOf } from "./row.ts";
import { Scene, type Start, startBreakable } from "./scene.ts";

const HALF_HOUR_MS = 30 * 60_000;

/** The clock goes ahead while callers call, and back again while they go on. */
export const stepClock = (): Promise<Row[]> =>
  Scene.with(startBreakable(), async (scene) => {
    const ahead = await scene.callers();
    await scene.break({ clock: String(HALF_HOUR_MS) });
    const rows = [await rowOf("The clock is set half an hour ahead", scene, ahead, async () => {})];
    const back = await scene.callers();
    await scene.break();
    rows.push(await rowOf("The clock is set back half an hour", scene, back, async () => {}));
    return rows;
  });

const WORKERS = 6;
const CALLS_BEFORE = 40;

/** Kills a process with SIGKILL in the middle of calls, starts the server again, and repeats what got no answer. */
async function killed(fault: string, victims: (scene: Scene) => Promise<number[]>): Promise<Row> {
  return Scene.with(startDev, async (scene) => {
    const callers = await scene.callers();
    const follow = scene.follow();
    const answered: string[] = [];
    const unanswered: Asked[] = [];
    let [writes, sent, longestMs] = [0, 0, 0];
    let isKilled = false;
    const problems: string[] = [];
    const send = async ({ name, request }: Asked): Promise<void> => {
      if (name === "stock write") writes += 1;
      const started = performance.now();
      const answer = await scene.send(request).catch(() => undefined);
      longestMs = Math.max(longestMs, performance.now() - started);
      if (answer === undefined) unanswered.push({ name, request });
      else if (codeOf(answer) === ANSWERED) answered.push(idOf(answer));
      else problems.push(`${name} was refused: ${codeOf(answer)}`);
    };
    const pids = await victims(scene);
    const kill = () => pids.forEach((pid) => process.kill(pid, "SIGKILL"));
    const work = async (index: number) => {
      while (!isKilled) {
        const [read, , customer, write] = callsOf(scene, callers);
        const next = [read, customer, write][(index + sent++) % 3];
        const sending = next === undefined ? undefined : send(next);
        if (sent === CALLS_BEFORE) {
          isKilled = true;
          kill();
        }
        await sending;
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, index) => work(index)));
    const lines = follow();
    await scene.restart();
    for (const each of unanswered) problems.push(...(await retry(scene, each)));
    const kept = await keptOf(scene, callers, { lines, ids: answered, writes });
    if (unanswered.length === 0) problems.push("no call was under way");
    return {
      fault,
      codes: { "calls under way": "no answer" },
      longestMs,
      kept: kept.text,
      logged: [],
      problems: [...problems, ...kept.problems],
    };
  });
}

/** npm run dev as a process of its own. */
const startDev: Start = async (stateDir, port, onLog) => {
  const args = ["bin/product-catalog-mcp.mjs", "dev", "--json", "--port", String(port), "--state", stateDir];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const isReady = new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => (line.includes("Ctrl-C") ? resolve() : onLog(line)));
    child.once("exit", () => reject(new Error("npm run dev has ended.")));
  });
  await isReady;
  const server = await findServer(stateDir);
  if (server === undefined) throw new Error("npm run dev has no lock.");
  return {
    ...server,
    async close() {
      if (child.exitCode === null && child.signalCode === null && child.kill("SIGINT"))
        await once(child, "exit");
    },
  };
};

export const killProcesses = async (): Promise<Row[]> => [
  await killed("kill -9 of workerd", async ({ stateDir }) => (await readLock(stateDir))?.runtimes ?? []),
  await killed("kill -9 of npm run dev and workerd", async ({ stateDir }) => {
    const lock = await readLock(stateDir);
    return lock === undefined ? [] : [lock.pid, ...lock.runtimes];
  }),
];

const run = promisify(execFile);
const DISK_MB = 64;

/** Fills the disk that holds the state, on a small disk of its own; that needs root. */
export async function fillDisk(): Promise<Row[]> {
  const disk = join(tmpdir(), `catalog-disk-${process.pid}`);
  await mkdir(disk);
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", disk]);
  } catch {
    await rm(disk, { recursive: true });
    console.error("The full disk is left out: only root can mount a small one.");
    return [];
  }
  try {
    const filler = join(disk, "filler");
    const row = await Scene.with(
      startBreakable(),
      async (scene) => {
        const callers = await scene.callers();
        // The object of the metrics exists before; a new one would need space.
        await scene.send(METRICS);
        await fill(filler);
        return rowOf("The disk is full", scene, callers, () => rm(filler));
      },
      disk,
    );
    return [row];
  } finally {
    await run("umount", [disk]);
    await rm(disk, { recursive: true });
  }
}

async function fill(path: string): Promise<void> {
  for (let piece = 1024 * 1024; piece >= 512; piece /= 2)
    for (;;) {
      try {
        await writeFile(path, Buffer.alloc(piece), { flag: "a" });
      } catch {
        break;
      }
    }
  await sleep(100);
}
