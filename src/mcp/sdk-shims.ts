// Takes the place of `@modelcontextprotocol/server/_shims` in the bundle (wrangler.toml, "alias"). The SDK's own shim brings a
// JSON Schema validator of 22 KB, which serves answers to questions to the client's person by JSON Schema; this server checks
// those by zod (src/mcp/confirm.ts). https://github.com/modelcontextprotocol/typescript-sdk

/** Stands for the SDK's validator. The SDK makes one for each server, and asks it for nothing here. */
export class DefaultJsonSchemaValidator {
  getValidator(): never {
    throw new Error("This server has no JSON Schema validator; pass one to the SDK.");
  }
}

/** Stands for Node's process, which the SDK needs only to serve over standard input and output. */
export const process = {};
