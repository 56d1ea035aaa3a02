import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

// The official conformance suite, run from node_modules with the current Node.

const PACKAGE = fileURLToPath(
  new URL("../../node_modules/@modelcontextprotocol/conformance/", import.meta.url),
);

export const REVISIONS = ["2026-07-28", "2025-11-25"] as const;
export type Revision = (typeof REVISIONS)[number];

const checkSchema = z.object({
  id: z.string(),
  description: z.string(),
  /** SUCCESS, FAILURE, WARNING, INFO or SKIPPED. */
  status: z.string(),
  errorMessage: z.string().optional(),
});
export type Check = z.output<typeof checkSchema>;

/** The checks of each scenario that ran. */
export type Checks = Map<string, Check[]>;

/**
 * Runs the suite with these arguments and reads the results it wrote to `folder`, which no other run may use.
 * The exit code is ignored, because it counts failures that callers here excuse.
 */
export async function runSuite(args: string[], folder: string): Promise<Checks> {
  const child = spawn(process.execPath, [`${PACKAGE}dist/index.js`, ...args, "-o", folder], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  await once(child, "close");
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const checks: Checks = new Map();
  for (const file of files.filter((each) => each.endsWith("checks.json"))) {
    // For example `server-tools-list-2026-11-24T19-29-41-062Z/checks.json`.
    const scenario =
      /^(?:server|authorization-server)-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z\b/.exec(file)?.[1] ?? file;
    const json: unknown = JSON.parse(await readFile(join(folder, file), "utf8"));
    checks.set(scenario, z.array(checkSchema).parse(json));
  }
  if (checks.size === 0)
    throw new Error(`The suite ran no scenario. It said: ${complaint.trim() || "nothing"}`);
  return checks;
}

/** Returns the scenarios that a revision requires of a server, as frozen in the suite. */
export async function requiredScenarios(revision: Revision): Promise<string[]> {
  const text = await readFile(`${PACKAGE}requirements/${revision}.yaml`, "utf8");
  const block = /^server:\n((?: {2}- \S+\n)+)/m.exec(text)?.[1];
  if (block === undefined) throw new Error(`The suite's requirements for ${revision} cannot be read.`);
  return block
    .trim()
    .split("\n")
    .map((line) => line.replace(/^\s*- /, ""));
}
