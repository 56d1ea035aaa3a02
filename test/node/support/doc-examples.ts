import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { demoKeys } from "../../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../../cli/local/server.ts";
import { product, seed } from "./imports.ts";

/** The address at which the pages say that the server runs. */
export const DOCUMENTED = "http://127.0.0.1:8787";

export interface DocRig {
  /** A folder for the test's own files; deleted at the end. */
  folder: string;
  state: string;
  server: LocalServer;
  page: string;
}

/**
 * Reads a page, and starts a server as its reader has one that requires tokens: the demo users, one product.
 * Call it before the tests, and the returned function within them.
 */
export function docRig(file: string): () => DocRig {
  let rig: DocRig | undefined;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "catalog-docs-test-"));
    const state = join(folder, "state");
    const server = await startServer({ stateDir: state, vars: { LOCAL_ANONYMOUS: "off" } });
    rig = { folder, state, server, page: await readFile(file, "utf8") };
    await seed(server, [product({ sku: "SKU-12847", status: "discontinued", stock: [] })]);
    await demoKeys(server, state);
  });
  afterAll(async () => {
    await rig?.server.close();
    if (rig !== undefined) await rm(rig.folder, { recursive: true });
  });
  return () => {
    if (rig === undefined) throw new Error("The server has not started");
    return rig;
  };
}

/**
 * Expects that a program printed the lines that a page promises; … stands for text that differs each time.
 */
export function expectLines(printed: string, lines: readonly string[]): void {
  const plain = printed.replaceAll('\\"', '"');
  for (const line of lines) {
    const parts = line.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    expect(plain).toMatch(new RegExp(parts.join("\\S+")));
  }
}
