import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { policyInForce } from "../../../src/policy/bundled.ts";
import {
  type Anchor,
  exportLine,
  genesis,
  headerSchema,
  link,
  verifyChain,
} from "../../../src/caller/audit/chain.ts";
import { exported } from "../support/audit.ts";
import { newCaller, policyWith, recordsOf, roleOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { mixedTraffic } from "../support/traffic.ts";

let user: string;
let lines: string[];
let anchor: Anchor;
let other: string[];
const logged: string[] = [];
beforeAll(async () => {
  await fill(sample);
  for (const level of ["info", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line: unknown) => void logged.push(String(line)));
  ({ user } = await mixedTraffic());
  ({ lines, anchor } = await exported(user));
  ({ lines: other } = await exported((await mixedTraffic()).user));
  vi.restoreAllMocks();
}, 30_000);

describe("an exported chain", () => {
  it("verifies, and holds every call of either era with its outcome", async () => {
    expect(await verifyChain(lines, anchor)).toEqual({
      ok: true,
      head: { seq: anchor.seq, hash: anchor.hash },
      records: anchor.seq,
      checked: { end: true, beginning: true },
    });
    const records = await recordsOf(env.USER_WINDOWS.getByName(user));
    const attempts = records.filter((record) => record.kind === "attempt");
    expect(new Set(attempts.map(({ target }) => target))).toEqual(
      new Set(["tool", "resource", "prompt", "completion", "discovery"]),
    );
    expect(new Set(attempts.map(({ protocol }) => protocol))).toEqual(new Set(["unsaid", "2026-07-28"]));
    expect(new Set(attempts.map(({ decision }) => decision))).toEqual(
      new Set(["admitted", "invalid_arguments", "unknown_tool", "not_found"]),
    );
    const admitted = attempts.filter(({ decision }) => decision === "admitted").map(({ seq }) => seq);
    const outcomes = records.flatMap((record) => (record.kind === "outcome" ? [record.attempt] : []));
    expect(outcomes.toSorted((a, b) => a - b)).toEqual(admitted);
  });

  it("says that its ends cannot be checked without an anchor", async () => {
    expect(await verifyChain(lines, undefined)).toMatchObject({
      ok: true,
      checked: { end: false, beginning: false },
    });
    expect(await verifyChain(lines.slice(0, 5), undefined)).toMatchObject({
      ok: true,
      checked: { end: false },
    });
  });

  it("does not vouch for records after its anchor", async () => {
    const tail = JSON.stringify({ seq: anchor.seq + 1, at: 0, kind: "outcome" });
    const forged = [...lines, exportLine(tail, link(anchor, tail))];
    expect(await verifyChain(forged, anchor)).toMatchObject({
      ok: true,
      checked: { end: false, beginning: true },
    });
  });
});

let tried = 0;
/** Expects that a changed file is detected by its own links alone, or by the anchor alone. */
async function expectFound(changed: string[], by: "links" | "anchor", what: string) {
  tried += 1;
  const { ok: byLinks } = await verifyChain(changed, undefined);
  expect({ what, ok: byLinks }).toEqual({ what, ok: by === "anchor" });
  if (by === "anchor")
    expect({ what, ok: (await verifyChain(changed, anchor)).ok }).toEqual({ what, ok: false });
}
const withLine = (index: number, ...replaced: string[]) => lines.toSpliced(index, 1, ...replaced);
const each = (visit: (line: string, index: number) => Promise<void>) =>
  lines.reduce((before, line, index) => before.then(() => visit(line, index)), Promise.resolve());

/** Generates every way to change one value somewhere in a JSON text. */
function* changes(value: unknown): Generator {
  if (typeof value === "string") yield* [`${value}x`, value.slice(1)].filter((changed) => changed !== value);
  else if (typeof value === "number") yield* [value + 1, String(value)];
  else if (typeof value === "boolean" || value === null) yield "x";
  else if (Array.isArray(value)) {
    yield [...value, "x"];
    for (const [index, item] of value.entries())
      for (const changed of changes(item)) yield value.toSpliced(index, 1, changed);
  } else {
    const entries = Object.entries(value ?? {});
    yield Object.fromEntries([...entries, ["added", 1]]);
    for (const [name, item] of entries) {
      yield Object.fromEntries(entries.filter(([kept]) => kept !== name));
      for (const changed of changes(item)) yield { ...value, [name]: changed };
    }
  }
}

describe("tampering is detected:", () => {
  it("any field changed, removed or added, in any line", async () => {
    tried = 0;
    await each(async (line, index) => {
      for (const changed of changes(JSON.parse(line))) {
        await expectFound(
          withLine(index, JSON.stringify(changed)),
          "links",
          `line ${index + 1}: ${JSON.stringify(changed)}`,
        );
      }
    });
    expect(tried).toBeGreaterThan(1_000);
  }, 60_000);

  it("a record dropped, duplicated, or exchanged for any other", async () => {
    tried = 0;
    await each(async (line, index) => {
      const isLast = index === lines.length - 1;
      await expectFound(withLine(index), isLast ? "anchor" : "links", `line ${index + 1} dropped`);
      await expectFound(withLine(index, line, line), "links", `line ${index + 1} twice`);
      for (const [second, moved] of lines.entries()) {
        if (second <= index) continue;
        await expectFound(
          withLine(index, moved).with(second, line),
          "links",
          `lines ${index + 1} and ${second + 1}`,
        );
      }
    });
    expect(tried).toBe(2 * lines.length + (lines.length * (lines.length - 1)) / 2);
  }, 30_000);

  it("lines of another principal's chain", async () => {
    await each((_, index) => expectFound(withLine(index, other[index] ?? ""), "links", `line ${index + 1}`));
    expect(await verifyChain(other, anchor)).toMatchObject({ problem: "other_principal" });
    // The other chain's records under this chain's header.
    await expectFound([lines[0] ?? "", ...other.slice(1)], "links", "another's records");
  });

  it("the end cut off, anywhere", async () => {
    for (let kept = 1; kept < lines.length; kept++) {
      const cut = lines.slice(0, kept);
      expect(await verifyChain(cut, anchor)).toMatchObject({ ok: false, problem: "shorter_than_anchor" });
      expect(await verifyChain(cut, undefined)).toMatchObject({ ok: true, checked: { end: false } });
    }
    expect(await verifyChain([], anchor)).toMatchObject({ problem: "empty" });
  });

  it("the beginning cut off, with or without a forged checkpoint", async () => {
    const [header = "", ...records] = lines;
    for (let cut = 1; cut < records.length; cut++) {
      const rest = records.slice(cut);
      await expectFound([header, ...rest], "links", `${cut} cut`);
      const { hash } = JSON.parse(records[cut - 1] ?? "");
      const pruned = { ...headerSchema.parse(JSON.parse(header)), checkpoint: { seq: cut, hash } };
      expect(await verifyChain([JSON.stringify(pruned), ...rest], anchor)).toMatchObject({
        problem: "not_the_anchored_beginning",
      });
    }
  });

  it("the chain rebuilt, from its beginning or from any record on", async () => {
    const { principal, started_at } = headerSchema.parse(JSON.parse(lines[0] ?? ""));
    const texts = lines.slice(1).map((line) => JSON.stringify(JSON.parse(line).record));
    for (const from of texts.keys()) {
      let head = genesis(principal, started_at);
      const forged = texts.map((text, index) => {
        const changed = index === from ? text.replace(/"at":\d/, '"at":2') : text;
        head = { seq: index + 1, hash: link(head, changed) };
        return exportLine(changed, head.hash);
      });
      await expectFound([lines[0] ?? "", ...forged], "anchor", `from record ${from + 1}`);
    }
    const later = { audit: 1, principal, started_at: started_at + 1, checkpoint: null };
    expect(await verifyChain([JSON.stringify(later)], anchor)).toMatchObject({
      problem: "not_the_anchored_chain",
    });
  });

  it("a duplicate name, of which two parsers read different values", async () => {
    tried = 0;
    await each(async (line, index) => {
      // Quotes inside a string are escaped, so these are the line's own names.
      for (const { 0: name, index: at } of line.matchAll(/(?<=[{,])"\w+":/g)) {
        await expectFound(
          withLine(index, `${line.slice(0, at)}${name}0,${line.slice(at)}`),
          "links",
          `${name} in line ${index + 1}`,
        );
      }
    });
    expect(tried).toBeGreaterThan(500);
  }, 30_000);

  it("the same value spelled differently", async () => {
    tried = 0;
    await each(async (line, index) => {
      const { record, ...rest } = JSON.parse(line);
      const written = [
        ` ${line}`,
        `${line} `,
        `${line}\r`,
        `\ufeff${line}`,
        line.replace(":", ": "),
        line.replace(/"(\w)/, (_, first: string) => `"\\u00${first.charCodeAt(0).toString(16)}`),
      ];
      const turned = JSON.stringify(
        record === undefined ? Object.fromEntries(Object.entries(rest).toReversed()) : { ...rest, record },
      );
      for (const text of [...written, turned]) await expectFound(withLine(index, text), "links", text);
      await expectFound(withLine(index, line, ""), "links", "an empty line");
    });
    expect(tried).toBe(8 * lines.length);
  }, 30_000);

  it("any character of the file changed", async () => {
    const file = lines.join("\n");
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: file.length - 1 }),
        fc.oneof(fc.string({ maxLength: 2 }), fc.constantFrom("\n", '"', "0", "a")),
        async (at, written) => {
          fc.pre(written !== file[at]);
          const changed = file.slice(0, at) + written + file.slice(at + 1);
          expect(await verifyChain(changed.split("\n"), anchor)).toMatchObject({ ok: false });
        },
      ),
      { numRuns: 500 },
    );
  }, 30_000);
});

describe("the stored data", () => {
  it("holds no secret: only arguments that the policy names, in records, runs, anchors and logs", async () => {
    const { except } = policyInForce().redact;
    const records = await recordsOf(env.USER_WINDOWS.getByName(user));
    for (const record of records) {
      if (record.kind !== "attempt") continue;
      const shown = new Set([...(except[record.name] ?? []), "redacted"]);
      expect(Object.keys(JSON.parse(record.arguments)).filter((name) => !shown.has(name))).toEqual([]);
    }
    const stored = await runInDurableObject(env.USER_WINDOWS.getByName(user), (_, { storage }) =>
      ["records", "runs", "state"].flatMap((table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray()),
    );
    const { results } = await env.DB.prepare("SELECT * FROM audit_anchors").all();
    const everything = JSON.stringify([stored, results, logged]);
    expect(everything).toContain('\\"query\\\\\\":\\\\\\"keyboard');
    expect(/PLANTED|jane\.doe|4111111111111111/i.exec(everything)?.[0]).toBeUndefined();
  });

  it("keeps the attempt of a call that crashed, and its reservation", async () => {
    const limits = { ...policyInForce().limits, calls: { max: 2, window_s: 60 } };
    const { newGuard, object, ask } = newCaller({
      policy: policyWith({ limits, roles: { shopper: roleOf({}) } }),
    });
    const guard = await newGuard();
    const target = {
      kind: "tool" as const,
      name: "list_categories",
      bucket: "calls" as const,
      access: undefined,
      labels: undefined,
    };
    expect(await guard.admit({ correlationId: "ref-1", target, args: {}, refused: {} })).toMatchObject({
      ok: true,
    });
    await evictDurableObject(object);
    expect(await recordsOf(object)).toMatchObject([{ kind: "attempt", decision: "admitted", weight: 1 }]);
    expect((await ask("tools/call", { name: "nope" })).refusal?.code).toBe("unknown_tool");
    expect((await ask("tools/call", { name: "nope" })).refusal?.code).toBe("rate_limited");
  });
});
