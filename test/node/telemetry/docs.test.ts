import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { PARTS } from "../../../src/probes/parts.ts";
import { events, fields } from "../../../src/telemetry/events.ts";
import { metrics } from "../../../src/telemetry/metrics/table.ts";
import { blobs, doubles } from "../../../src/telemetry/points.ts";

const rowsOf = async (file: string, pattern: RegExp) => (await readFile(file, "utf8")).match(pattern);

it("docs/logs.md shows every event and every field", async () => {
  const shownEvents = await rowsOf("docs/logs.md", /^\| `\w+` \| (?:info|error) \|.+$/gm);
  expect(shownEvents).toEqual(
    Object.entries(events).map(
      ([name, { level, means, fields: names }]) =>
        `| \`${name}\` | ${level} | ${means} | ${names.map((field) => `\`${field}\``).join(", ")} |`,
    ),
  );
  const shownFields = await rowsOf(
    "docs/logs.md",
    /^\| `[\w.]+` \| (?:string|number|boolean|object) \|.+$/gm,
  );
  expect(shownFields).toEqual(
    Object.entries(fields).map(([name, { type, means }]) => `| \`${name}\` | ${type} | ${means} |`),
  );
});

it("the table has no field that no event has", () => {
  const used = new Set<string>(Object.values(events).flatMap((event) => event.fields));
  expect(Object.keys(fields).filter((field) => !used.has(field))).toEqual([]);
});

it("docs/metrics.md shows every metric, and every readiness probe", async () => {
  const shown = await rowsOf("docs/metrics.md", /^\| `mcp_\w+` \|.+$/gm);
  expect(shown).toEqual(
    Object.entries(metrics).map(
      ([name, { type, labels, help }]) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
    ),
  );
  const parts = await rowsOf("docs/metrics.md", /(?<=^\| `)[a-z_]+(?=` \| (?!counter|gauge|histogram))/gm);
  expect(parts).toEqual([...PARTS]);
});

it("docs/analytics.md shows every slot, and its queries use no other", async () => {
  const shown = await rowsOf("docs/analytics.md", /^\| `(?:blob|double)\d+` \|.+$/gm);
  const slots = [
    ...blobs.map(({ name, means }, index) => ({ slot: `blob${index + 1}`, name, means })),
    ...doubles.map(({ name, means }, index) => ({ slot: `double${index + 1}`, name, means })),
  ];
  expect(shown).toEqual(slots.map(({ slot, name, means }) => `| \`${slot}\` | ${name} | ${means} |`));
  const sql = (await readFile("docs/analytics.md", "utf8")).match(/```sql[\s\S]*?```/g) ?? [];
  expect(sql.length).toBeGreaterThanOrEqual(4);
  const named = sql.flatMap((query) => query.match(/\b(?:blob|double)\d+\b/g) ?? []);
  expect(named.filter((slot) => !slots.some((each) => each.slot === slot))).toEqual([]);
  for (const query of sql) expect(query).toContain("_sample_interval");
});
