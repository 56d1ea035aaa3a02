import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { type ReadRecord, applyImport, beginImport, stageRows } from "../../src/catalog/import/statements.ts";
import type { LocalServer } from "../local/server.ts";

const CHUNK = 500;

/** Imports records that are known to be good, as one change. */
export async function importRecords(server: LocalServer, records: Iterable<ProductRecord>): Promise<void> {
  const importId = crypto.randomUUID();
  await server.batch(beginImport(importId));
  let line = 0;
  let chunk: ReadRecord[] = [];
  const flush = async () => {
    if (chunk.length > 0)
      await server.batch(stageRows(importId, chunk, { bytesRead: 0, linesRead: line, rowsBad: 0 }));
    chunk = [];
  };
  for (const record of records) {
    line++;
    if (chunk.push({ record, line }) === CHUNK) await flush();
  }
  await flush();
  await server.batch(applyImport(importId, { removeMissing: false }));
}
