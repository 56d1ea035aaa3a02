import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import * as z from "zod";
import { lostFlags } from "../../cli/npm-flags.ts";
import { helpOf } from "../node/support/help.ts";
import { BIN, start } from "../node/support/processes.ts";

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });
const { scripts } = packageSchema.parse(JSON.parse(await readFile("package.json", "utf8")));
const own = Object.entries(scripts).flatMap(([script, line]) => {
  const [, command] = new RegExp(`^node ${BIN} ([\\w ]+)$`).exec(line) ?? [];
  return command === undefined ? [] : [{ script, command }];
});

/** Returns a command's flags as its --help lists them, without --help itself. */
async function flagsOf(command: string): Promise<{ name: string; takesValue: boolean }[]> {
  return [...(await helpOf(command)).matchAll(/^ +(?:-\w, )?--([\w-]+)( <)?/gm)]
    .map(([, name = "", value]) => ({ name, takesValue: value !== undefined }))
    .filter(({ name }) => name !== "help");
}

/** Runs a script as a person does who forgets the `--`, without what an outer npm left in the environment. */
async function npm(words: string[]) {
  const { code, stdout, stderr } = await start("npm", words, { env: { npm_config_loglevel: "error" } }).ended;
  // With --json npm itself prints that a script failed.
  return { code, stderr, stdout: stdout.replace(/^\{\n {2}"error": \{[^}]*\}\n\}\n$/, "") };
}

it("finds the scripts that run a command", () => {
  expect(own.map(({ script }) => script)).toEqual(["dev", "ask", "stdio", "deploy", "bench", "conformance"]);
});

/** The official suite is run as it is. */
const WITHOUT_FLAGS = new Set(["conformance"]);

it("knows the scripts whose commands take no flags", async () => {
  const flags = await Promise.all(own.map(async ({ command }) => flagsOf(command)));
  const without = own.filter((_, index) => flags[index]?.length === 0);
  expect(new Set(without.map(({ script }) => script))).toEqual(WITHOUT_FLAGS);
});

it.concurrent.each(own.filter(({ script }) => !WITHOUT_FLAGS.has(script)))(
  "npm run $script refuses each of its flags without --, and does nothing",
  async ({ script, command }) => {
    const flags = await flagsOf(command);
    const apart = flags.flatMap(({ name, takesValue }) => (takesValue ? [`--${name}`, "1"] : [`--${name}`]));
    const joined = flags.map(({ name, takesValue }) => (takesValue ? `--${name}=1` : `--${name}`));
    for (const given of [apart, joined]) {
      const { code, stdout, stderr } = await npm(["run", "-s", script, ...given]);
      for (const { name } of flags)
        expect(stderr).toMatch(new RegExp(`npm keeps .*--${name}\\b.* for itself`));
      expect(stderr).toContain(`npm run ${script} -- `);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    }
  },
  180_000,
);

it.each([
  [["run", "-s", "deploy", "--dry-run"], "npm run deploy -- --dry-run"],
  [["run", "-s", "deploy", "--env=staging"], "npm run deploy -- --env=staging"],
  [["run", "-s", "dev", "--port", "3000"], "npm run dev -- --port 3000"],
  [["run", "-s", "ask", "wireless keyboard", "--json"], 'npm run ask -- "wireless keyboard" --json'],
  [["run", "-s", "ask", "--limit", "3", "wireless mouse"], 'npm run ask -- "wireless mouse" --limit 3'],
  [["run", "-s", "ask", "--sku", "SKU-1", "SKU-2"], "npm run ask -- --sku SKU-1 SKU-2"],
])("npm %j says what to type", async (words, line) => {
  const { code, stdout, stderr } = await npm(words);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr.slice(-line.length - 3)).toBe(`: ${line}\n`);
});

it("npm test refuses --project without --", async () => {
  const { code, stdout, stderr } = await npm(["test", "--project", "node"]);
  expect(code).not.toBe(0);
  expect(`${stdout}${stderr}`).toContain("npm test -- ");
});

it("says nothing if npm kept nothing, or if the settings of npm are other ones", () => {
  const env = { npm_lifecycle_event: "dev", npm_config_loglevel: "silent", npm_config_json: "" };
  expect(lostFlags([{ name: "json" }, { name: "port", accepts: () => true }], ["x"], env)).toBeUndefined();
  expect(lostFlags([{ name: "json" }], [], { npm_config_json: "true" })).toBeUndefined();
});
