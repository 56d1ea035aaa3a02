import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { refusals } from "../../src/refusal-codes.ts";

it("docs/errors.md shows the table of refusals", async () => {
  const page = await readFile("docs/errors.md", "utf8");
  const rows = page.match(/^\| `\w+` \| \d{3} \|.+$/gm);
  const expected = Object.entries(refusals).map(
    ([code, { http, jsonRpc, retryable, next }]) =>
      `| \`${code}\` | ${http} | ${jsonRpc} | ${retryable ? "yes" : "no"} | ${next} |`,
  );
  expect(rows).toEqual(expected);
});

it("docs/signing.md says when each refusal of a signature occurs", async () => {
  const page = await readFile("docs/signing.md", "utf8");
  const section = page.slice(page.indexOf("## How it is checked"), page.indexOf("What to do about each"));
  const named = [...section.matchAll(/`(signature_\w+)`/g)].map(([, code]) => code);
  const codes = Object.keys(refusals).filter((code) => code.startsWith("signature_"));
  expect([...new Set(named)].toSorted()).toEqual(codes.toSorted());
});

it("README links to existing files and names existing scripts", async () => {
  const readme = await readFile("README.md", "utf8");
  for (const [, path = ""] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) await readFile(path);
  const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
  const named = [...readme.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, name]) => name);
  expect(named.filter((name) => name !== undefined && !(name in scripts))).toEqual([]);
});

describe("docs/deploy.md", async () => {
  const page = await readFile("docs/deploy.md", "utf8");
  const [, schema = ""] =
    /const settingsSchema = ([^]*?)\n}\);/.exec(await readFile("src/env.ts", "utf8")) ?? [];
  const settings = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name = ""]) => name);

  it("names every setting, and no other", () => {
    const section = page.slice(page.indexOf("## Settings"), page.indexOf("## A domain"));
    const named = [...section.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name]) => name);
    expect([...new Set(named)].toSorted()).toEqual(settings.toSorted());
    const rotated = page.slice(page.indexOf("## Rotation"), page.indexOf("## Upgrade"));
    const secrets = [...rotated.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name);
    expect(secrets).toEqual(expect.arrayContaining(settings.filter((name) => name.includes("SECRET"))));
  });

  it("names existing scripts", async () => {
    const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
    const named = [...page.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(named.length).toBeGreaterThan(8);
  });

  it("adds up", () => {
    const rows = [...page.matchAll(/^\| [^|]+ \| \$([\d.]+) \| [^|]+ \| ([\d.,]+) \| \$([\d.]+) \|$/gm)];
    const costs = rows.map(([, price = "", count = "", cost = ""]) => {
      expect(Number(cost)).toBeCloseTo(Number(price) * Number(count.replace(",", "")), 1);
      return Number(cost);
    });
    expect(costs).toHaveLength(7);
    const [, sum = ""] = /\*\*\$([\d.]+)\*\*/.exec(page) ?? [];
    // Each is rounded to a cent.
    const rounding = 0.005 * (costs.length + 1);
    const total = costs.reduce((before, cost) => before + cost, 0);
    expect(Math.abs(total - Number(sum))).toBeLessThan(rounding);
  });
});

it("docs/add-a-tool.md shows the example that test/worker/signals.test.ts runs", async () => {
  const source = await readFile("test/worker/support/check-availability.ts", "utf8");
  const asInTools = source.replaceAll("../../../src/tools/", "./").replaceAll("../../../src/", "../");
  expect(await readFile("docs/add-a-tool.md", "utf8")).toContain(asInTools);
});
