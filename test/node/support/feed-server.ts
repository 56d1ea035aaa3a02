import { createHash } from "node:crypto";
import { once } from "node:events";
import { type ServerResponse, createServer } from "node:http";
import { gzipSync } from "node:zlib";
import { json, text } from "node:stream/consumers";
import type { TestProject } from "vitest/node";
import * as z from "zod";

// A shop's server that delivers feeds, and a webhook's receiver, for tests in workerd. A test says with PUT what a path answers.

const answerSchema = z.object({
  status: z.int().default(200),
  body: z.string().default(""),
  headers: z.record(z.string(), z.string()).default({}),
  /** Ends the connection in the middle of the body. */
  isCut: z.boolean().default(false),
  /** Goes on with a byte every few milliseconds. */
  isSlow: z.boolean().default(false),
});
export type FeedAnswer = z.input<typeof answerSchema>;

export default async function serve(project: TestProject): Promise<() => void> {
  const answers = new Map<string, z.output<typeof answerSchema>>();
  const requests = new Map<string, Record<string, unknown>[]>();
  const deliver = (path: string, headers: Record<string, unknown>, response: ServerResponse) => {
    const {
      status,
      body,
      headers: own,
      isCut,
      isSlow,
    } = answers.get(path) ?? answerSchema.parse({ status: 404 });
    const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
    if (status === 200 && headers["if-none-match"] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    if (isSlow) {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x"), 5);
      response.on("close", () => clearInterval(timer));
      return;
    }
    const bytes = own["content-encoding"] === "gzip" ? gzipSync(body) : Buffer.from(body);
    const length = own["transfer-encoding"] === undefined ? { "content-length": bytes.length } : {};
    response.writeHead(status, { etag, ...length, ...own });
    if (!isCut) response.end(bytes);
    else response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  };
  const server = createServer((request, response) => {
    const { method, url = "", headers } = request;
    const path = url.split("?", 1)[0] ?? "";
    void (async () => {
      if (method === "PUT") {
        answers.set(path, answerSchema.parse(await json(request)));
        response.end();
      } else if (method === "POST") {
        requests.set(path, [...(requests.get(path) ?? []), { body: await text(request), headers }]);
        response.end();
      } else if (url.startsWith("/requests/"))
        response.end(JSON.stringify(requests.get(path.slice("/requests".length)) ?? []));
      else {
        requests.set(path, [...(requests.get(path) ?? []), { url, headers }]);
        deliver(path, headers, response);
      }
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.int() }).parse(server.address());
  project.provide("feedServer", `http://127.0.0.1:${port}`);
  return () => {
    server.closeAllConnections();
    server.close();
  };
}
