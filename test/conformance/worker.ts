// The product's Worker, and beside /mcp an endpoint with the tools, resources and prompts that the official
// suite asks for. What they show is the wiring: the app's checks of host, origin and size, the reading of a
// body, the SDK's handler and its fallback are those of the product (src/app.ts, src/mcp/protocol.ts).

import { app } from "../../src/app.ts";
import production from "../../src/index.ts";
import { readBody, serveBody } from "../../src/mcp/protocol.ts";
import { fixtures } from "./fixtures.ts";

export * from "../../src/index.ts";

app.all("/mcp/conformance", async (c) => {
  const { correlationId, secretKey } = c.var;
  const body = await readBody(c.req.raw, correlationId);
  if (body instanceof Response) return body;
  const isModern = c.req.header("mcp-protocol-version") === "2026-07-28";
  return serveBody(c.req.raw, body, fixtures({ isModern, secretKey }), correlationId);
});

export default production;
