import { openSource } from "../../../cli/import/open-source.ts";
import { Notes } from "../../../src/catalog/import/read/notes.ts";
import { type ReadFlags, prepare } from "../../../cli/import/prepare.ts";
import type { ProductRecord } from "../../../src/catalog/import/record.ts";

/** Reads a file as the import command does, up to the checked records. No server is involved. */
export async function readImport(file: string, flags: Partial<ReadFlags> = {}) {
  const said: string[] = [];
  const { products, rows } = await prepare(file, { map: [], set: [], ...flags }, (sentence) =>
    said.push(sentence),
  );
  const notes = new Notes();
  const records: ProductRecord[] = [];
  const problems: string[] = [];
  for await (const row of rows(products.drafts(await openSource(file)), notes)) {
    if ("record" in row) records.push(row.record);
    else problems.push(`${row.line}: ${row.problem}`);
  }
  return { kind: products.name, records, problems, notes: notes.toJSON(), said };
}
