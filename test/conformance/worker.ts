// The product's Worker with an endpoint beside /mcp that has the tools, resources and prompts which the
// official suite requires. It exercises the wiring: the app's checks of host, origin and size, the body
// reader, the SDK's handler and its fallback are the product's (src/app.ts, src/mcp/protocol.ts).

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
