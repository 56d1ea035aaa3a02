import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalServer, type ServerOptions, startServer } from "../../cli/local/server.ts";

/**
 * Runs work on a new server. Its state is in a temporary folder, which the work may use too and which is
 * removed at the end.
 */
export async function withFreshServer<T>(
  work: (server: LocalServer, folder: string) => Promise<T>,
  options: Omit<ServerOptions, "stateDir"> = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-lab-"));
  try {
    const server = await startServer({ ...options, stateDir: join(folder, "state") });
    try {
      return await work(server, folder);
    } finally {
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true, maxRetries: 5 });
  }
}
