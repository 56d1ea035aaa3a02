import { Agent, type IncomingMessage, request as send } from "node:http";
import { performance } from "node:perf_hooks";

export interface LoadRequest {
  method: "GET" | "POST";
  path: string;
  headers: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface Load {
  /** Answers per second. */
  rps: number;
  /** Milliseconds of each answer. */
  times: number[];
}

/**
 * Sends requests over a fixed number of kept connections; each sends its next request when the last is
 * answered.
 */
export class Connections {
  readonly #agent: Agent;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.#agent = new Agent({ keepAlive: true, maxSockets: count });
  }

  send(url: string, { method, path, headers, body }: LoadRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = send(
        `${url}${path}`,
        {
          method,
          agent: this.#agent,
          headers: { ...headers, ...(body !== undefined && { "content-length": Buffer.byteLength(body) }) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString("utf8"),
            }),
          );
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  /** Runs for a time or a number of calls. Throws at the first refused answer. */
  async load(url: string, next: () => LoadRequest, until: { ms: number } | { calls: number }): Promise<Load> {
    const times: number[] = [];
    const started = performance.now();
    let sent = 0;
    const goesOn = "ms" in until ? () => performance.now() < started + until.ms : () => sent < until.calls;
    const one = async () => {
      while (goesOn()) {
        sent += 1;
        const from = performance.now();
        check(await this.send(url, next()));
        times.push(performance.now() - from);
      }
    };
    await Promise.all(Array.from({ length: this.#count }, one));
    return { rps: (times.length * 1000) / (performance.now() - started), times };
  }

  close(): void {
    this.#agent.destroy();
  }
}

export function check({ status, body }: Answer): void {
  if (status !== 200 || body.includes('"isError":true') || body.includes('"error":{')) {
    throw new Error(`A call was refused with ${status}: ${body.slice(0, 500)}`);
  }
}
