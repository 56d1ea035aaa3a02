import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { SETTINGS, anonymousRefusedBy, unknownSettings } from "../../cli/local/dev-vars.ts";

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
