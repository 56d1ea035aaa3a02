import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Reads a D1 database of this machine from its file, which no server may have open. wrangler would take seconds. */
export async function readLocalD1(stateDir: string, statements: readonly string[]) {
  const path = join(stateDir, "v3/d1/miniflare-D1DatabaseObject");
  const name = (await readdir(path)).find((each) => /^[0-9a-f]{64}\.sqlite$/.test(each));
  if (name === undefined) throw new Error(`No database in ${path}`);
  const file = new DatabaseSync(join(path, name), { readOnly: true });
  try {
    return statements.map((sql) =>
      file
        .prepare(sql)
        .all()
        .map((row) => ({ ...row })),
    );
  } finally {
    file.close();
  }
}
