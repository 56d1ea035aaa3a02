import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { TestProject } from "vitest/node";
import * as z from "zod";

// Checks values against UCP's published JSON Schemas, for tests in workerd, where ajv cannot compile. The file holds the
// schemas that the catalog and a profile need, as published under the Apache license beside it, without their texts.

const FILE = new URL("ucp-schemas/ucp-2026-08-25.json", import.meta.url);
const questionSchema = z.array(z.object({ schema: z.string(), value: z.unknown().optional() }));

export default async function serve(project: TestProject): Promise<() => void> {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const check = ({ schema, value }: z.output<typeof questionSchema>[number]): string => {
    const validate = ajv.getSchema(`https://ucp.dev/schemas/${schema}`);
    if (validate === undefined) return `There is no schema ${schema}.`;
    return validate(value) === true ? "" : ajv.errorsText(validate.errors);
  };
  const server = createServer((request, response) => {
    void (async () => {
      if (ajv.getSchema("https://ucp.dev/schemas/ucp.json") === undefined)
        ajv.addSchema(z.array(z.looseObject({})).parse(JSON.parse(await readFile(FILE, "utf8"))));
      response.end(JSON.stringify(questionSchema.parse(await json(request)).map(check)));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.int() }).parse(server.address());
  project.provide("schemaServer", `http://127.0.0.1:${port}`);
  return () => void server.close();
}
