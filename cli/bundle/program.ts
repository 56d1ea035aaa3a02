// The program inside the bundle for Claude Desktop: MCP over standard input and output, carried to a deployed server.

import { endWithReader } from "../stdio/end-with-reader.ts";
import { serveStdio } from "../stdio/serve.ts";
import { endpointOf, remoteCall } from "./remote.ts";

endWithReader();

const { CATALOG_URL = "", CATALOG_ACCESS_KEY = "" } = process.env;
try {
  await serveStdio(remoteCall(endpointOf(CATALOG_URL), CATALOG_ACCESS_KEY, (line) => console.error(line)));
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
