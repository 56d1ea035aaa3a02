import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { hasWayOut } from "../../cli/local/way-out.ts";
import { listenOn } from "./support/listen-on.ts";

const open: { close: () => void }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

function listen(server: ReturnType<typeof createSocket>): Promise<string> {
  open.push(server);
  return listenOn(server);
}

it.each([200, 302, 403, 500])("finds a way out if the answer is %i", async (status) => {
  const server = createServer((_, response) => void response.writeHead(status).end());
  expect(await hasWayOut(await listen(server))).toBe(true);
});

it("finds none if nothing listens", async () => {
  const server = createServer();
  const url = await listen(server);
  server.close();
  await once(server, "close");
  expect(await hasWayOut(url)).toBe(false);
});

it("finds none if no answer comes in time", async () => {
  const silent = createSocket(() => {});
  expect(await hasWayOut(await listen(silent), 200)).toBe(false);
});
