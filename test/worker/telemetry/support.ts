import { env } from "cloudflare:workers";
import { vi } from "vitest";
import * as z from "zod";

const lineSchema = z.looseObject({ timestamp: z.string(), level: z.string(), event: z.string() });

/**
 * Collects everything written to the console and to Analytics Engine from now on; restore all mocks
 * afterwards.
 */
export function listen() {
  const written: string[] = [];
  for (const level of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => void written.push(parts.join(" ")));
  const points = vi.spyOn(env.EVENTS, "writeDataPoint").mockImplementation(() => {});
  const lines = () => written.map((text) => lineSchema.parse(JSON.parse(text)));
  return {
    written,
    lines,
    named: (event: string) => lines().filter((line) => line.event === event),
    points: () => points.mock.calls.map(([point]) => point),
    /** Public calls are settled after the response, and their lines come with the settlement. */
    until: (event: string) =>
      vi.waitUntil(() => lines().find((line) => line.event === event), { timeout: 3_000, interval: 5 }),
  };
}
