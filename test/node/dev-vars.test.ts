import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { SETTINGS, anonymousRefusedBy, readDevVars, unknownSettings } from "../../cli/local/dev-vars.ts";
import { readSettings } from "../../src/env.ts";
import { undoDevVars } from "../own-settings.ts";

it("lists the same settings that the Worker reads", async () => {
  const [, schema = ""] =
    /^const settingsSchema = ([^]*?)^\}\);/m.exec(await readFile("src/env.ts", "utf8")) ?? [];
  expect([...schema.matchAll(/^  ([A-Z_]+):/gm)].map(([, name]) => name)).toEqual(SETTINGS);
});

it("reports a name that is not a setting, with the nearest one that is", () => {
  expect(unknownSettings({ LOCAL_ANONYMOUS: "off", METRICS_TOKEN: "x" })).toEqual([]);
  expect(unknownSettings({ LOCAL_ANONIMOUS: "off" })).toEqual([
    ".dev.vars: LOCAL_ANONIMOUS is not a setting and is ignored. Did you mean LOCAL_ANONYMOUS?",
  ]);
});

it.each([
  [{}, undefined],
  [{ LOCAL_ANONYMOUS: "on", PUBLIC_URL: "http://localhost:8787" }, undefined],
  [{ LOCAL_ANONIMOUS: "off" }, undefined],
  [{ LOCAL_ANONYMOUS: "off" }, "LOCAL_ANONYMOUS=off"],
  [{ PUBLIC_URL: "https://catalog.example.com" }, "PUBLIC_URL=https://catalog.example.com"],
])("callers without a token under %j are refused by %s", (vars, by) => {
  expect(anonymousRefusedBy(vars)).toBe(by);
});

it("a developer's own settings are read, but not by tests", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-dev-vars-"));
  const path = join(folder, ".dev.vars");
  await writeFile(path, SETTINGS.map((name) => `${name}=off\n`).join(""));
  expect(await readDevVars(folder)).toEqual({});
  vi.stubEnv("CATALOG_DEV_VARS", undefined);
  expect(await readDevVars(folder)).toMatchObject({ LOCAL_ANONYMOUS: "off" });
  vi.unstubAllEnvs();
  // wrangler reads the file itself.
  expect(undoDevVars(join(folder, "none"))).toEqual({});
  expect(readSettings(undoDevVars(path))).toEqual(readSettings({}));
  await rm(folder, { recursive: true });
});
