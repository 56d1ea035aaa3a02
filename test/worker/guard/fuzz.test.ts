import fc from "fast-check";
import { afterEach, beforeAll, expect, inject, it, vi } from "vitest";
import { PLANTED, fill, sample } from "../support/catalog.ts";
import { newAddress, send } from "../support/clients.ts";
import { anyRequest } from "../support/any-request.ts";
import { withoutPace } from "../support/pace.ts";

// Any input to the endpoint gets an answer in time, no 5xx without a reference, and no internal text.

/** CI runs more: FUZZ_RUNS=20000. */
const BODIES = inject("fuzzRuns");
/** Requests in flight together, a few from one address, because a limit would hide the code after it. */
const TOGETHER = 20;
const FROM_ONE = 10;
const IN_TIME_MS = 10_000;

beforeAll(() => fill(sample));
withoutPace();
afterEach(() => vi.restoreAllMocks());

const INTERNAL = new RegExp(
  [
    "SQLITE|D1_ERROR|SELECT |INSERT |no such (?:table|column)",
    String.raw`\bat \S+ \(|\.[jt]sx?:\d|node_modules|/src/`,
    "UserWindows|CallerDO|USER_WINDOWS|DurableObject|OAUTH_KV|audit_anchors|policy\\.json|fail_open",
    "ZodError|TypeError|RangeError|SyntaxError|supplier_id|SECRET_KEY",
    `${PLANTED.cost}|${PLANTED.supplier}`,
  ].join("|"),
);

async function answered(
  { body: sent, headers }: { body: string; headers: Record<string, string> },
  address: string,
) {
  // A client cannot send text that no header can hold.
  const given = Object.entries(headers).filter(([, value]) => /^[\x20-\x7e]*$/.test(value));
  const response = await send("/mcp", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "cf-connecting-ip": address,
      ...Object.fromEntries(given),
    },
    body: sent,
  });
  return { status: response.status, id: response.headers.get("x-request-id"), said: await response.text() };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${IN_TIME_MS} ms`)), IN_TIME_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns every message of an answer; throws if one is not JSON. */
const messagesOf = (said: string): unknown[] =>
  said.startsWith("{")
    ? [JSON.parse(said)]
    : [...said.matchAll(/^data: (.+)$/gm)].map(([, data = ""]): unknown => JSON.parse(data));

it(
  `answers ${BODIES} bodies of any kind, in both eras and in batches`,
  async () => {
    const logged: string[] = [];
    for (const level of ["log", "info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => void logged.push(parts.join(" ")));
    const statuses = new Map<number, number>();
    const requests = fc.array(anyRequest, { minLength: TOGETHER, maxLength: TOGETHER, size: "max" });
    await fc.assert(
      fc.asyncProperty(requests, async (together) => {
        const addresses = Array.from({ length: TOGETHER / FROM_ONE }, newAddress);
        const from = (index: number) => addresses[index % addresses.length] ?? "";
        const answers = await Promise.all(together.map((each, index) => inTime(answered(each, from(index)))));
        for (const [index, { status, id, said }] of answers.entries()) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          expect({
            sent: together[index],
            hasFailed: status >= 500 || said.includes('"code":"internal"'),
            hasReference: /^[0-9a-f-]{36}$/.test(id ?? ""),
            leaks: INTERNAL.exec(said)?.[0],
          }).toEqual({ sent: together[index], hasFailed: false, hasReference: true, leaks: undefined });
          for (const message of messagesOf(said)) expect(message).toMatchObject({ jsonrpc: "2.0" });
        }
      }),
      { numRuns: Math.ceil(BODIES / TOGETHER), endOnFailure: true },
    );
    expect(logged.filter((line) => line.includes("internal_error"))).toEqual([]);
    // Proves that the inputs vary; the rarest of these is one in forty.
    for (const status of [200, 202, 400, 403, 404]) expect([...statuses.keys()]).toContain(status);
  },
  BODIES * 60,
);
