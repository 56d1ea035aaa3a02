import { type IncomingMessage, createServer } from "node:http";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { ACCOUNT, type Account, Refused, notFound, routesOf } from "./cloud-routes.ts";
import { listenOn } from "./listen-on.ts";

// A stand-in for Cloudflare's API, as far as `wrangler deploy` and the commands around it use it, because no
// account exists where the tests run. It is the only mock of this project. It answers in the API's shapes and
// stores what it receives; docs/deploy.md marks what it cannot show as not tried.

export interface Call {
  method: string;
  /** Path below the account: `/workers/scripts/NAME`, without a query. */
  path: string;
}

export interface Cloud extends Account {
  /** Value for CLOUDFLARE_API_BASE_URL. */
  url: string;
  calls: Call[];
  /** The requests that change something. */
  writes(): string[];
  /** Refuses the next call of this method and path, as for a token without the permission. */
  refuseNext(call: string): void;
  close(): Promise<void>;
}

export async function startCloud(): Promise<Cloud> {
  const calls: Call[] = [];
  const account: Account = {
    databases: new Map(),
    stores: new Map(),
    secrets: new Map(),
    versions: [],
    assets: new Set(),
  };
  const routes = routesOf(account);
  let refusing: string | undefined;

  const answer = async (request: IncomingMessage) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://cloud");
    const path = pathname.replace("/client/v4", "").replace(`/accounts/${ACCOUNT.id}`, "");
    const method = request.method ?? "GET";
    const body = await buffer(request);
    calls.push({ method, path });
    if (`${method} ${path}` === refusing) {
      refusing = undefined;
      throw new Refused(403, 10000, "Authentication error");
    }
    for (const [verb, pattern, handler] of routes) {
      const match = pattern.exec(path);
      if (verb !== method || match === null) continue;
      const result = await handler(match.slice(1), body, request);
      // The first page has everything; wrangler asks until a page is empty.
      return Array.isArray(result) && Number(searchParams.get("page") ?? 1) > 1 ? [] : result;
    }
    throw notFound(7003, `${method} ${path} was`);
  };

  const server = createServer((request, response) => {
    const send = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    answer(request).then(
      (result) => send(200, { success: true, errors: [], messages: [], result }),
      (error: unknown) => {
        const [status, code] = error instanceof Refused ? [error.status, error.code] : [500, 1];
        const message = error instanceof Error ? error.message : String(error);
        send(status, { success: false, errors: [{ code, message }], messages: [], result: null });
      },
    );
  });
  return {
    url: `${await listenOn(server)}/client/v4`,
    calls,
    writes: () =>
      calls
        .filter(({ method, path }) => method !== "GET" && !path.endsWith("/query"))
        .map(({ method, path }) => `${method} ${path}`),
    ...account,
    refuseNext: (call) => (refusing = call),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
