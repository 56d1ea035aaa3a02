import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { FORMS } from "./support/command-forms.ts";
import { commandsIn, documentedCommands } from "./support/documented-commands.ts";

const documented = await documentedCommands();
const forms = Object.entries(FORMS);

it("finds commands in shell blocks, inline code and tables, in pipes and before comments", () => {
  const page = [
    "Run `npm run -s one -- FILE` or | `npm run two \\| npx three` | text |",
    "```sh",
    "A=1 npm run four    # not npm run never",
    "git pull && npm ci && npm run five",
    "echo '{}' | npm run -s six -- -",
    "```",
    "```text",
    "npm run never",
    "```",
    "`npm test`, `claude mcp add x npx`",
  ].join("\n");
  expect(commandsIn(page)).toEqual([
    "npm run one -- FILE",
    "npm run two",
    "npx three",
    "npm run four",
    "npm ci",
    "npm run five",
    "npm run six -- -",
    "npm test",
  ]);
});

it("every command that a page names has a form that CI runs, or a reason", () => {
  expect(documented.length).toBeGreaterThan(80);
  expect(documented.filter(({ command }) => !Object.hasOwn(FORMS, command))).toEqual([]);
});

it("every form belongs to a command that a page names", () => {
  const named = new Set(documented.map(({ command }) => command));
  expect(forms.filter(([command]) => !named.has(command)).map(([command]) => command)).toEqual([]);
});

it("every test that is said to run a command exists", async () => {
  const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
  const ci = await readFile(".ci/run", "utf8");
  for (const [command, form] of forms) {
    const [, script] = /^npm run ([\w:-]+)/.exec(command) ?? [];
    if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
    if ("like" in form) expect(FORMS[form.like]).toHaveProperty("run");
    if (!("ranBy" in form)) continue;
    if (form.ranBy !== ".ci/run") await readFile(form.ranBy);
    else expect(ci.replaceAll("npm run -s ", "npm run ")).toContain(command);
  }
});

it("a smallest form runs the script that the page names", () => {
  const others = forms.filter(([command, form]) => {
    const line = "run" in form ? form.run : "starts" in form ? form.starts : "";
    const [script = ""] = /^(?:npm run [\w:-]+|npm test|npx \S+)/.exec(command) ?? [];
    return line !== "" && !`${line.replace("npm run -s ", "npm run ")} `.startsWith(`${script} `);
  });
  expect(others).toEqual([]);
});
