import { createServer } from "node:net";
import { listenOn } from "./listen-on.ts";

/** Returns a port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = new URL(await listenOn(server));
  server.close();
  return Number(port);
}
