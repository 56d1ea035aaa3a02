import { afterAll, expect, it } from "vitest";
import { sectionOf } from "../../lab/support/page.ts";
import { endGroups, startCommand, within } from "../node/support/processes.ts";

afterAll(endGroups);

/** Rows without the time, which depends on the machine. */
const rowsOf = (table: string, hasDisk: boolean): string[][] =>
  table
    .trim()
    .split("\n")
    .map((line) => line.split(" | ").filter((_, column) => column !== 2))
    .filter(([fault = ""]) => hasDisk || !fault.includes("disk is full"));

it(
  "no fault breaks a promise, and docs/reliability.md shows what callers saw",
  { timeout: 420_000 },
  async () => {
    const { code, stdout, stderr } = await within(
      400_000,
      startCommand("lab faults", [], { ownGroup: true }),
    );
    expect(stderr.split("\n").filter((line) => line.startsWith("BROKEN"))).toEqual([]);
    expect(code).toBe(0);
    // Only root can fill a disk; the command says if it could not.
    const hasDisk = !stderr.includes("The full disk is left out");
    expect(rowsOf(stdout, hasDisk)).toEqual(rowsOf(await sectionOf("lab faults"), hasDisk));
  },
);
