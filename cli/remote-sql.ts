import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { Statement } from "../src/database/statement.ts";
import type { Row } from "./local/server.ts";
import { ROOT, WRANGLER, wrangler } from "./wrangler.ts";

/** Arguments that name the deployed database. Tests name one on this machine instead. */
export const DEPLOYED = ["DB", "--remote"];
/** Characters of one query; the command line takes 128 KB. */
const QUERY_MAX = 60_000;

const answers = z.array(z.object({ results: z.array(z.record(z.string(), z.unknown())) }));

/** SQL that is collected in a file, and sent as a whole. */
export interface SqlFile {
  path: string;
  write(statements: readonly Statement[]): Promise<void>;
  /** Ends the file, which then stays. */
  close(): Promise<void>;
  /** Ends the file, runs it through wrangler, and removes it. D1 rolls back a file that fails. */
  send(): Promise<void>;
  /** Removes the file, which may hold internal fields. */
  remove(): Promise<void>;
}

export async function openSqlFile(database: readonly string[] = DEPLOYED): Promise<SqlFile> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-import-"));
  const path = join(folder, "import.sql");
  const out = createWriteStream(path);
  const close = async () => {
    out.end();
    await once(out, "finish");
  };
  const remove = () => rm(folder, { recursive: true, force: true });
  return {
    path,
    async write(statements) {
      for (const statement of statements) if (!out.write(`${toSql(statement)};\n`)) await once(out, "drain");
    },
    close,
    async send() {
      await close();
      try {
        // wrangler prints its own progress, because it uploads the file.
        const args = [WRANGLER, "d1", "execute", ...database, "--yes", "--file", path];
        // Standard output has the report alone.
        const running = spawn(process.execPath, args, { cwd: ROOT, stdio: ["inherit", 2, "inherit"] });
        const [code] = await once(running, "exit");
        if (code !== 0) throw new Error("wrangler could not run the SQL. The remote database is unchanged.");
      } finally {
        await remove();
      }
    },
    remove,
  };
}

/** Brings the database to the current schema. */
export async function migrateRemote(database: readonly string[] = DEPLOYED): Promise<void> {
  await wrangler(["d1", "migrations", "apply", ...database]);
}

/** Runs queries through wrangler, and returns the rows of each. */
export async function queryRemote(
  statements: readonly Statement[],
  database: readonly string[] = DEPLOYED,
): Promise<Row[][]> {
  const rows: Row[][] = [];
  let batch: string[] = [];
  const ask = async () => {
    if (batch.length === 0) return;
    const command = ["d1", "execute", ...database, "--json", "--command", batch.join(";\n")];
    const { stdout } = await wrangler(command);
    rows.push(...answers.parse(JSON.parse(stdout)).map(({ results }) => results));
    batch = [];
  };
  for (const sql of statements.map(toSql)) {
    if (batch.join(";\n").length + sql.length > QUERY_MAX) await ask();
    batch.push(sql);
  }
  await ask();
  return rows;
}

/** Inlines values into the SQL text, because the file has no place for parameters. */
function toSql({ sql, values }: Statement): string {
  return sql.replaceAll(/\?(\d+)/g, (_, number: string) => {
    const value = values[Number(number) - 1];
    if (value === null || value === undefined) return "NULL";
    return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
  });
}
