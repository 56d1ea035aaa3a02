import { expect, it } from "vitest";
import { startCommand, within } from "../node/support/processes.ts";

it("nothing takes three times as long on a server of a tenth of the documented size", async () => {
  const { code, stdout, stderr } = await within(500_000, startCommand("lab scale", ["--share", "0.1"]));
  expect(stderr.split("\n").filter((line) => line.startsWith("Too slow"))).toEqual([]);
  expect(code).toBe(0);
  expect(stdout).toContain("2,000 / 10,000 / 100,000");
}, 510_000);
