import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import * as z from "zod";
import { bundle, run } from "../../lab/bench/runtime.ts";

// Many callers' objects share the 128 MB of an isolate. They are measured in workerd itself.

const KIB = 1024;
const CALLERS = 150;
const ROUNDS = 6;

const targetsSchema = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.string() }));
const usageSchema = z.object({
  id: z.int(),
  result: z.object({ usedSize: z.number(), backingStorageSize: z.number() }),
});

/**
 * Returns the bytes held in an isolate's heap, by the inspector of its workerd: the lowest of several
 * collections.
 */
async function heapOf(inspector: URL, url: string): Promise<number> {
  const targets = targetsSchema.parse(await (await fetch(new URL("/json/list", inspector))).json());
  const target = targets.find(({ id }) => id.includes("bench"));
  if (target === undefined) throw new Error("workerd shows no such isolate");
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
  const used: number[] = [];
  socket.addEventListener("message", ({ data }) => {
    const usage = usageSchema.safeParse(JSON.parse(String(data)));
    if (usage.success) used.push(usage.data.result.usedSize + usage.data.result.backingStorageSize);
  });
  for (let round = 1; round <= ROUNDS; round++) {
    // workerd collects when the isolate runs the next time.
    socket.send(JSON.stringify({ id: 2 * round, method: "HeapProfiler.collectGarbage" }));
    await fetch(`${url}/?callers=0`);
    socket.send(JSON.stringify({ id: 2 * round + 1, method: "Runtime.getHeapUsage" }));
    await vi.waitFor(() => expect(used).toHaveLength(round), { timeout: 20_000 });
  }
  socket.close();
  return Math.min(...used);
}

it("a caller who does everything at once takes 96 KiB at most", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-memory-"));
  const runtime = await run(
    await bundle({ config: "test/memory/wrangler.toml" }, join(folder, "bundle")),
    folder,
    {
      inspected: true,
    },
  );
  try {
    const fill = async (callers: number) => (await fetch(`${runtime.url}/?callers=${callers}`)).text();
    // The program's own memory is allocated by the second round.
    const inspector = await runtime.inspector();
    const heaps: number[] = [];
    for (let round = 1; round <= 4; round++) {
      expect(await fill(CALLERS)).toBe(String(round * CALLERS));
      heaps.push(await heapOf(inspector, runtime.url));
    }
    const [, first = 0, , last = 0] = heaps;
    const each = (last - first) / (2 * CALLERS);
    console.error(`${(each / KIB).toFixed(1)} KiB a caller`);
    // Less would mean that nothing was filled.
    expect(each).toBeGreaterThan(16 * KIB);
    expect(each).toBeLessThan(96 * KIB);
  } finally {
    await runtime.close();
    await rm(folder, { recursive: true });
  }
});
