import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { existsSync } from "node:fs";
import * as z from "zod";

const configSchema = z.object({
  mcpServers: z.object({
    "product-catalog": z.strictObject({ command: z.string(), args: z.array(z.string()) }),
  }),
});

/**
 * The host's own PATH, without the node_modules folder that npm puts in front: Claude Desktop sees this one.
 */
export const HOST_PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);

/** The command of the Claude Desktop configuration in docs/stdio.md, on a state folder. */
export async function documentedCommand(stateDir: string): Promise<{ command: string; args: string[] }> {
  const page = await readFile("docs/stdio.md", "utf8");
  const [, json = ""] = /```json\n([^`]*)```/.exec(page) ?? [];
  const { command, args } = configSchema.parse(JSON.parse(json)).mcpServers["product-catalog"];
  const found = HOST_PATH.split(delimiter).map((folder) => join(folder, command));
  return {
    command: found.find((path) => existsSync(path)) ?? command,
    args: [
      ...args.map((arg) => arg.replace("/path/to/product-catalog-mcp", process.cwd())),
      "--state",
      stateDir,
    ],
  };
}

export const request = (id: unknown, method: string, params: unknown = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
export const callTool = (id: unknown, name: string, args: object = {}) =>
  request(id, "tools/call", { name, arguments: args });
export const initialize = (id: unknown, clientInfo = { name: "stdio-test", version: "1" }) =>
  request(id, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
/** The same request on 2026-07-28. */
export const modern = ({ params, ...rest }: { params: unknown }) => ({
  ...rest,
  params: {
    ...z.looseObject({}).parse(params),
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
      "io.modelcontextprotocol/clientInfo": { name: "stdio-test", version: "1" },
    },
  },
});
