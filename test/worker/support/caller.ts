import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ProtocolError, type Result } from "@modelcontextprotocol/server";
import * as z from "zod";
import { createCatalog } from "../../../src/catalog/repository.ts";
import { Deadline } from "../../../src/deadlines.ts";
import { catalogSize } from "../../../src/guard/catalog-size.ts";
import { createGuard } from "../../../src/guard/guard.ts";
import type { CallerNamespace } from "../../../src/caller/caller-do.ts";
import { dispatch } from "../../../src/mcp/dispatch.ts";
import { createInventory } from "../../../src/inventory/repository.ts";
import { createAgents } from "../../../src/ucp/agents.ts";
import { createSupport } from "../../../src/support/repository.ts";
import { viewerOf } from "../../../src/support/viewer.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import type { Policy } from "../../../src/policy/schema.ts";
import { REFUSAL_META_KEY } from "../../../src/refusal.ts";
import { type AuditRecord, recordSchema } from "../../../src/caller/audit/records.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import type { TraceContext } from "../../../src/telemetry/trace-context.ts";

export const SECRET_KEY = "a secret of thirty-two bytes or more";

const refusalSchema = z.object({
  code: z.string(),
  correlationId: z.string(),
  retryAfterMs: z.number().optional(),
  hints: z.record(z.string(), z.array(z.string())).optional(),
});

interface CallerOptions {
  policy?: Policy;
  roles?: string[];
  scopes?: string[];
  callers?: CallerNamespace;
}

/** The policy in force with changes. */
export const policyWith = (changes: Partial<Policy>): Policy => ({ ...policyInForce(), ...changes });

type Role = Policy["roles"][string];

/** A role that may use only the names given here. */
export const roleOf = (changes: Partial<Role>): Role => ({
  scopes: ["catalog:read"],
  tools: [],
  resources: [],
  prompts: [],
  customers: "own",
  ...changes,
});

/**
 * Creates a caller for one test, behind the real guard, dispatch and Durable Object, under the test's own
 * policy; the endpoint always uses the bundled one.
 */
export function newCaller({
  policy = policyInForce(),
  roles = ["shopper"],
  scopes = ["catalog:read"],
  callers = env.USER_WINDOWS,
}: CallerOptions = {}) {
  const principal = {
    id: `caller-${crypto.randomUUID()}`,
    kind: "user" as const,
    roles,
    via: "key" as const,
    scopes,
  };
  const newGuard = async () =>
    createGuard({
      policy,
      principal,
      callers,
      db: env.DB,
      catalogSize: await catalogSize(env.DB, Date.now()),
      origin: "http://127.0.0.1",
      secretKey: SECRET_KEY,
      protocol: "2026-07-28",
      client: "test/1",
    });
  const ask = async (method: string, params: Record<string, unknown> = {}, trace: TraceContext = {}) => {
    const deadline = new Deadline(5_000);
    const guard = await newGuard();
    const call = {
      correlationId: crypto.randomUUID(),
      principal,
      policy,
      guard,
      context: {
        catalog: createCatalog(env.DB),
        inventory: createInventory(env.DB, principal.id),
        support: createSupport(env.DB, viewerOf(policy, principal)),
        agents: createAgents({ origin: "http://127.0.0.1", policy: policyInForce(), caller: "test" }),
        now: Date.now(),
      },
      deadline,
      assets: env.ASSETS,
      origin: "https://catalog.example",
      secretKey: SECRET_KEY,
      trace,
      noteAdmitted() {},
      retry: { envelope: undefined, inputResponses: undefined, openState: async () => undefined },
    };
    return answerOf(dispatch({ jsonrpc: "2.0", id: 1, method, params }, call));
  };
  return { principal, policy, newGuard, ask, object: env.USER_WINDOWS.getByName(principal.id) };
}

/** Returns the answer, and the refusal's details in whichever form they came. */
async function answerOf(dispatched: Promise<Result>) {
  try {
    const result = await dispatched;
    const details = refusalSchema.safeParse(result._meta?.[REFUSAL_META_KEY]);
    return { result, refusal: details.data };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { result: undefined, refusal: refusalSchema.parse(error.data) };
  }
}

/** Returns every record that an object holds, in order. */
export const recordsOf = (object: DurableObjectStub<CallerDO>): Promise<AuditRecord[]> =>
  runInDurableObject(object, (_, { storage }) =>
    [...storage.sql.exec<{ text: string }>("SELECT text FROM records ORDER BY seq")].map(({ text }) =>
      recordSchema.parse(JSON.parse(text)),
    ),
  );

/** Returns the number of rows in an object's tables. */
export const rowsOf = (object: DurableObjectStub<CallerDO>) =>
  runInDurableObject(object, (_, { storage }) => {
    const count = (table: string) =>
      storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;
    return { records: count("records"), runs: count("runs") };
  });
