import { Agent, type IncomingMessage, request } from "node:http";
import { performance } from "node:perf_hooks";
import { text } from "node:stream/consumers";

/** A request without a body is a GET, one with a body a POST. */
export interface LoadRequest {
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
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

  async send(url: string, { path, headers = {}, body }: LoadRequest): Promise<Answer> {
    const method = body === undefined ? "GET" : "POST";
    const response = await new Promise<IncomingMessage>((resolve, reject) =>
      request(`${url}${path}`, { method, agent: this.#agent, headers })
        .once("response", resolve)
        .once("error", reject)
        .end(body),
    );
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  }

  /** Sends a request that must not be refused. */
  async call(url: string, next: LoadRequest): Promise<Answer> {
    const answer = await this.send(url, next);
    const { status, body } = answer;
    if (status !== 200 || body.includes('"isError":true') || body.includes('"error":{'))
      throw new Error(`A call was refused with ${status}: ${body.slice(0, 500)}`);
    return answer;
  }

  /** Runs for a time or a number of calls. Returns calls per second, and the milliseconds of each call. */
  async load(url: string, next: () => LoadRequest, until: { ms: number } | { calls: number }) {
    const times: number[] = [];
    const started = performance.now();
    let sent = 0;
    const goesOn = "ms" in until ? () => performance.now() < started + until.ms : () => sent < until.calls;
    const one = async () => {
      while (goesOn()) {
        sent += 1;
        const from = performance.now();
        await this.call(url, next());
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
