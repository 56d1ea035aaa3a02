import { setTimeout as sleep } from "node:timers/promises";
import { oneLine } from "../../src/text/json-line.ts";
import { LINE_MAX, createBridge } from "./bridge.ts";
import type { Call } from "./call.ts";
import { readLines } from "./lines.ts";

/** Lines handled at once; further lines wait in the pipe. */
const IN_FLIGHT_MAX = 64;
/** Milliseconds that calls may run after the input ends. */
const DRAIN_MS = 10_000;

/**
 * Carries MCP between standard input and output and a server, until the input ends and the calls under way are answered. They
 * are given up some seconds after `ready`.
 */
export async function serveStdio(call: Call, ready: Promise<unknown> = Promise.resolve()): Promise<void> {
  const write = (message: unknown) =>
    new Promise<void>((resolve) => {
      process.stdout.write(`${oneLine(JSON.stringify(message))}\n`, () => resolve());
    });
  const take = createBridge(call, write);
  const inFlight = new Set<Promise<void>>();
  for await (const line of readLines(process.stdin, LINE_MAX)) {
    const taken = take(line).finally(() => inFlight.delete(taken));
    inFlight.add(taken);
    if (inFlight.size >= IN_FLIGHT_MAX) await Promise.race(inFlight);
  }
  await ready.catch(() => {});
  await Promise.race([Promise.all(inFlight), sleep(DRAIN_MS)]);
}
