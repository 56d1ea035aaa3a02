import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { beginImport, compareImport } from "../../src/catalog/import/statements.ts";
import { firstPriceJumps } from "../../src/catalog/import/price-jumps.ts";
import type { Statement } from "../../src/database/statement.ts";
import type { LocalServer } from "../local/server.ts";
import { ROOT, WRANGLER, wrangler } from "../wrangler.ts";

const comparisonSchema = z.object({
  added: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  missing: z.int(),
  /** Prices that change by more than five times. */
  price_jumps: z.int(),
});
export type Comparison = z.output<typeof comparisonSchema>;

const jumpSchema = z.object({ sku: z.string(), currency: z.string(), before: z.int(), after: z.int() });
/** A price before and after, in minor units. */
export type PriceJump = z.output<typeof jumpSchema>;

/** The database that an import writes to. */
export interface Target {
  /** Most bytes of one statement's values. */
  statementMax: number;
  /** Opens an import; returns the line up to which an earlier, interrupted run staged it. */
  begin(importId: string): Promise<number>;
  run(statements: Statement[]): Promise<void>;
  /** Returns what applying would change, or undefined if the target can only write. */
  compare(importId: string): Promise<Comparison | undefined>;
  /** Returns the first prices that change by more than five times. */
  priceJumps(importId: string): Promise<PriceJump[]>;
  /** Executes the collected statements if `run` did not. */
  finish(): Promise<void>;
}

export function localTarget(server: LocalServer): Target {
  return {
    // D1 accepts values of up to 2 MB.
    statementMax: 1_500_000,
    async begin(importId) {
      const rows = await server.batch(beginImport(importId));
      return z.object({ lines_staged: z.int() }).parse(rows.at(-1)?.[0]).lines_staged;
    },
    async run(statements) {
      if (statements.length > 0) await server.batch(statements);
    },
    async compare(importId) {
      const [[row] = []] = await server.batch([compareImport(importId)]);
      return comparisonSchema.parse(row);
    },
    async priceJumps(importId) {
      const [rows = []] = await server.batch([firstPriceJumps(importId)]);
      return rows.map((row) => jumpSchema.parse(row));
    },
    async finish() {},
  };
}

/**
 * Writes an SQL file that wrangler runs on the deployed database as a whole: D1 rolls back a file that fails.
 */
export async function remoteTarget(execute: boolean): Promise<Target & { file: string }> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-import-"));
  const file = join(folder, "import.sql");
  const out = createWriteStream(file);
  const write = async (statements: Statement[]) => {
    for (const statement of statements) if (!out.write(`${toSql(statement)};\n`)) await once(out, "drain");
  };
  return {
    file,
    // D1 accepts statements of up to 100 KB.
    statementMax: 90_000,
    async begin(importId) {
      await write(beginImport(importId).slice(0, -1));
      return 0;
    },
    run: write,
    compare: async () => undefined,
    priceJumps: async () => [],
    async finish() {
      out.end();
      await once(out, "finish");
      if (!execute) return;
      try {
        await wrangler(["d1", "migrations", "apply", "DB", "--remote"]);
        // wrangler prints its own progress, because it uploads the file.
        const running = spawn(
          process.execPath,
          [WRANGLER, "d1", "execute", "DB", "--remote", "--yes", "--file", file],
          { cwd: ROOT, stdio: "inherit" },
        );
        const [code] = await once(running, "exit");
        if (code !== 0)
          throw new Error("wrangler could not run the import. The remote database is unchanged.");
      } finally {
        // The file contains the products' costs.
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Inlines values into the SQL text, because the file has no place for parameters. */
function toSql({ sql, values }: Statement): string {
  return sql.replaceAll(/\?(\d+)/g, (_, number: string) => {
    const value = values[Number(number) - 1];
    if (value === null || value === undefined) return "NULL";
    return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
  });
}
