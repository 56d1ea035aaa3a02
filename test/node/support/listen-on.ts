import { once } from "node:events";
import type { Server } from "node:net";

/** Has a server listen on a free port of this machine. Returns its origin, without a trailing slash. */
export async function listenOn(server: Server, host = "127.0.0.1"): Promise<string> {
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port");
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}
