import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { DOCUMENTED, docRig, expectLines } from "../node/support/doc-examples.ts";
import { BIN } from "../node/support/processes.ts";
import { missingPrograms } from "../node/support/programs.ts";

const run = promisify(execFile);
const PAGE = "docs/signing.md";
const page = readFileSync(PAGE, "utf8");
const rig = docRig(PAGE);
beforeAll(async () => {
  // The page's program finds http-message-sig here.
  await symlink(resolve("node_modules"), join(rig().folder, "node_modules"));
});

interface Example {
  language: string;
  code: string;
  lines: string[];
}

/** The page's programs with the output that it promises, in order. */
const examples: Example[] = [...page.matchAll(/```(sh|ts|python)\n([^]*?)```\n\n```text\n([^]*?)```/g)].map(
  ([, language = "", code = "", output = ""]) => ({ language, code, lines: output.trim().split("\n") }),
);

/**
 * Returns a reason to leave an example out: a program it needs, beside Node, that the machine lacks. The
 * shell makes the keys.
 */
function whyLeftOut({ language, code }: Example): string | undefined {
  const called = language === "sh" ? ["curl", "openssl"].filter((name) => code.includes(name)) : [];
  // openssl made this key.
  if (code.includes("signing-key.pem") && !called.includes("openssl")) called.push("openssl");
  const missing = missingPrograms(["sh", ...called, ...(language === "python" ? ["python3"] : [])]);
  return missing.length === 0 ? undefined : `${missing.join(" and ")} is not installed`;
}

async function execute({ language, code }: Example, environment: Record<string, string>): Promise<string> {
  const { folder, state, server } = rig();
  const bin = `"${process.execPath}" "${resolve(BIN)}"`;
  const program = code
    .replaceAll(
      /npx product-catalog-mcp (users|keys|signing-keys) (.*)$/gm,
      `${bin} $1 $2 --state "${state}"`,
    )
    .replaceAll("npx product-catalog-mcp", bin)
    .replaceAll(DOCUMENTED, server.url);
  const file = join(folder, `example.${language}`);
  await writeFile(file, program);
  const [command, ...args] =
    { sh: ["sh", "-e"], ts: [process.execPath], python: ["python3"] }[language] ?? [];
  const { stdout, stderr } = await run(command ?? "", [...args, file], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", ...environment },
  });
  expect(stderr).toBe("");
  return stdout;
}

/** Returns the values that the page tells its reader to keep. */
function noted(stdout: string): Record<string, string> {
  const [, accessKey] = /^key-\w+, shown once:\n(pcm_\S+)$/m.exec(stdout) ?? [];
  const [, keyId, secret] = /^(sign-\w+), shown once:\n(pcs_\S+)$/m.exec(stdout) ?? [];
  const [, ed25519] = /^Done: (sign-\w+)$/m.exec(stdout) ?? [];
  return {
    ...(accessKey !== undefined && { CATALOG_ACCESS_KEY: accessKey }),
    ...(keyId !== undefined && { SIGNING_KEY_ID: keyId }),
    ...(secret !== undefined && { CATALOG_SIGNING_SECRET: secret }),
    ...(ed25519 !== undefined && { ED25519_KEY_ID: ed25519 }),
  };
}

const environment: Record<string, string> = {};

it.for(examples.map((example, index) => ({ ...example, number: index + 1 })))(
  "its program $number, $language, prints what it says it prints",
  async (example, { skip }) => {
    const reason = whyLeftOut(example);
    if (reason !== undefined) skip(reason);
    const stdout = await execute(example, environment);
    expect(stdout).not.toBe("");
    expectLines(stdout, example.lines);
    Object.assign(environment, noted(stdout));
  },
);

it("gives its reader everything that its programs need", ({ skip }) => {
  if (missingPrograms(["sh", "openssl"]).length > 0) skip("sh or openssl is not installed");
  expect(Object.keys(environment).toSorted()).toEqual([
    "CATALOG_ACCESS_KEY",
    "CATALOG_SIGNING_SECRET",
    "ED25519_KEY_ID",
    "SIGNING_KEY_ID",
  ]);
});

it("runs every program of a block", () => {
  const blocks = [...page.matchAll(/```(?:sh|ts|python)\n/g)];
  expect(examples.map(({ language }) => language)).toEqual(["sh", "sh", "sh", "sh", "ts", "python"]);
  expect(blocks).toHaveLength(6);
});
