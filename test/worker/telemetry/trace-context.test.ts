import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readTraceContext } from "../../../src/telemetry/trace-context.ts";
import { blobs } from "../../../src/telemetry/points.ts";
import { fill, sample } from "../support/catalog.ts";
import { newCaller, recordsOf } from "../support/caller.ts";
import { call, post } from "../support/clients.ts";
import { modern } from "../support/modern.ts";
import { listen } from "./support.ts";

beforeAll(() => fill(sample));
afterEach(() => void vi.restoreAllMocks());

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER = "00-11111111111111111111111111111111-2222222222222222-00";
const sent = { traceparent: PARENT, tracestate: "vendor=a", baggage: "shop=eu" };

describe("a caller's trace context", () => {
  const stock = { name: "query_stock", arguments: { sku: "SKU-10001" } };
  const inMeta = modern("tools/call", stock);
  it.each([
    ["headers on 2025", call(stock.name, stock.arguments), sent],
    ["_meta on 2025", { ...call(stock.name, stock.arguments), params: { ...stock, _meta: sent } }, {}],
    ["headers on 2026-07-28", inMeta.body, { ...inMeta.headers, ...sent }],
    [
      "_meta on 2026-07-28, before headers",
      { ...inMeta.body, params: { ...inMeta.body.params, _meta: { ...inMeta.body.params._meta, ...sent } } },
      { ...inMeta.headers, traceparent: OTHER },
    ],
  ])("from %s is in the log and in Analytics", async (_, body, headers) => {
    const { until, named, points } = listen();
    await post(body, headers);
    const completed = await until("tool_invocation_completed");
    expect(completed).toMatchObject({ ...sent, "mcp.method.name": "tools/call" });
    expect(named("tool_invocation_started")).toMatchObject([sent]);
    const [point] = points();
    const blobOf = (name: string) => point?.blobs?.[blobs.findIndex((blob) => blob.name === name)];
    expect(Object.keys(sent).map(blobOf)).toEqual(Object.values(sent));
  });

  it("of each call of a batch is its own", async () => {
    const { lines, until } = listen();
    const asked = (id: number, trace: object) => ({
      ...call(stock.name, stock.arguments, id),
      params: { ...stock, _meta: trace },
    });
    await post([asked(1, sent), asked(2, {})], { traceparent: OTHER });
    await until("tool_invocation_completed");
    await vi.waitFor(() => {
      const completed = lines().filter(({ event }) => event === "tool_invocation_completed");
      expect(new Set(completed.map((line) => line["traceparent"]))).toEqual(new Set([PARENT, OTHER]));
    });
  });

  it("is in the audit's attempt, and absent there if none was sent", async () => {
    const caller = newCaller();
    await caller.ask("tools/call", stock, sent);
    await caller.ask("tools/call", stock);
    const attempts = (await recordsOf(caller.object)).filter(({ kind }) => kind === "attempt");
    expect(attempts).toMatchObject([sent, {}]);
    expect(Object.keys(attempts[1] ?? {})).not.toContain("traceparent");
  });
});

describe("reading it", () => {
  const read = (meta: Record<string, unknown>) => readTraceContext(meta, new Headers());
  it.each([
    "",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
    `${PARENT}\n`.repeat(2),
    7,
    null,
    { traceparent: PARENT },
  ])("leaves out the invalid traceparent %j and its tracestate", (traceparent) => {
    expect(read({ traceparent, tracestate: "a=b" })).toEqual({});
  });

  it("keeps whole members of a long list", () => {
    const members = Array.from({ length: 100 }, (_, index) => `vendor${index}=0123456789`);
    const { tracestate = "" } = read({ traceparent: PARENT, tracestate: members.join(",") });
    expect(tracestate.length).toBeLessThanOrEqual(512);
    expect(members.slice(0, tracestate.split(",").length)).toEqual(tracestate.split(","));
  });

  it.each([
    "user=ada@example.com",
    "user=ada%40example.com",
    "key=pcm_jRjiC6y1RiFRExJChD1F3wOK9XdkIy0iSdlWTPQBf90",
  ])("cleans the baggage %s", (baggage) => {
    expect(read({ baggage: `${baggage},shop=eu` }).baggage).toMatch(/^(user|key)=\[(email|key)\],shop=eu$/);
  });
});
