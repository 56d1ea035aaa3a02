// A server whose parts can be broken, and its callers.

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { fillNewState } from "../../cli/sample/fill-new-state.ts";
import { type Granted, grantTokens } from "../bench/oauth-tokens.ts";
import { Connections } from "../bench/load.ts";
import { addCallers, signIn } from "../support/callers.ts";
import { type Answered, type Sent, modern, send } from "../support/requests.ts";

/** Milliseconds that a request gets on these servers. */
export const DEADLINE_MS = 5_000;
const VARS = { CALL_DEADLINE_MS: String(DEADLINE_MS), OUTBOUND_DEADLINE_MS: String(DEADLINE_MS) };

/** Callers of one fault, whom no other fault has seen. */
export interface Callers {
  ids: string[];
  shopper: string;
  support: string;
  stock: string;
  token: Granted;
}

const placeSchema = z.object({ sku: z.string(), warehouse: z.string() });
type Line = Record<string, unknown>;
const lineSchema = z.record(z.string(), z.unknown());

/** Starts a server; port 0 is any free one. It writes each line of its log to `onLog`. */
export type Start = (stateDir: string, port: number, onLog: (line: string) => void) => Promise<LocalServer>;

export const startBreakable =
  (vars: Record<string, string> = {}): Start =>
  (stateDir, port, onLog) =>
    startServer({ stateDir, port, entrypoint: "lab/faults/worker.ts", vars: { ...VARS, ...vars }, onLog });

export class Scene {
  readonly stateDir: string;
  readonly #start: Start;
  readonly #lines: Line[] = [];
  #server: LocalServer | undefined;
  #made = 0;
  admin = "";
  cookie = "";
  /** The largest stock, of which writes take. */
  place = { sku: "", warehouse: "" };

  private constructor(stateDir: string, start: Start) {
    this.stateDir = stateDir;
    this.#start = start;
  }

  /** Runs work on a new server with the sample. Its state is deleted afterwards. */
  static async with<T>(start: Start, work: (scene: Scene) => Promise<T>, folder = tmpdir()): Promise<T> {
    const own = await mkdtemp(join(folder, "catalog-faults-"));
    const scene = new Scene(join(own, "state"), start);
    try {
      await scene.restart();
      const keys = await fillNewState(scene.server, scene.stateDir);
      scene.admin = keys["user-admin"] ?? "";
      scene.cookie = await signIn(scene.server.url, scene.admin);
      const sql =
        "SELECT sku, warehouse FROM stock s JOIN products p ON p.id = s.product_id ORDER BY quantity DESC LIMIT 1";
      scene.place = placeSchema.parse((await scene.rows(sql))[0]);
      return await work(scene);
    } finally {
      await scene.#server?.close();
      await rm(own, { recursive: true, maxRetries: 5 });
    }
  }

  get server(): LocalServer {
    if (this.#server === undefined) throw new Error("The server has not started.");
    return this.#server;
  }

  /** Starts the server at the same port, because access tokens are for one address. */
  async restart(): Promise<void> {
    const port = this.#server === undefined ? 0 : Number(new URL(this.#server.url).port);
    await this.#server?.close();
    this.#server = await this.#start(this.stateDir, port, (line) => {
      const read = lineSchema.safeParse(parseJson(line));
      if (read.success) this.#lines.push(read.data);
    });
  }

  /** Returns the log since now. */
  follow(): () => Line[] {
    const start = this.#lines.length;
    return () => this.#lines.slice(start);
  }

  /** Breaks a part, or mends everything. Returns the bytes of the object that `size` names. */
  async break(query: Record<string, string> = {}): Promise<number> {
    const response = await fetch(`${this.server.url}/__faults?${new URLSearchParams(query).toString()}`);
    if (!response.ok) throw new Error(`Nothing was broken: ${response.status} ${await response.text()}`);
    return z.object({ size: z.int() }).parse(await response.json()).size;
  }

  async rows(sql: string, ...values: string[]): Promise<Line[]> {
    const [rows = []] = await this.server.batch([{ sql, values }]);
    return rows;
  }

  /** `areKnown`: each has called before. */
  async callers({ areKnown = true } = {}): Promise<Callers> {
    const number = this.#made++;
    const add = async (role: string): Promise<[id: string, key: string]> => {
      const id = `${role}-${number}-${randomUUID().slice(0, 4)}`;
      const [key = ""] = await addCallers(this.server, [id], role);
      return [id, key];
    };
    const all = [await add("shopper"), await add("support"), await add("inventory"), await add("shopper")];
    const [shopper = "", support = "", stock = "", signed = ""] = all.map(([, key]) => key);
    const connections = new Connections(1);
    const [token] = await grantTokens(this.server.url, connections, [signed]);
    connections.close();
    if (token === undefined) throw new Error("The server granted no token.");
    const callers = { ids: all.map(([id]) => id), shopper, support, stock, token };
    for (const key of areKnown ? [shopper, support, stock] : [])
      await this.send(tool(key, "list_categories", {}));
    return callers;
  }

  async send(request: Sent): Promise<Answered> {
    const headers = { "cf-connecting-ip": "2001:db8::1", ...request.headers };
    const answer = await send(this.server.url, { ...request, headers });
    if (answer === undefined) throw new Error("The request can't be sent.");
    return answer;
  }

  /** Takes one unit from stock; the same request again takes none. */
  take(key: string): Sent {
    return tool(key, "update_inventory", {
      changes: [{ ...this.place, delta: -1 }],
      reason: "An order",
      idempotency_key: randomUUID(),
    });
  }
}

/** A tool call of 2026-07-28. */
export function tool(key: string, name: string, args: object): Sent {
  const request = modern("/mcp", ["tools/call", { name, arguments: args }]);
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${key}` } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
