import { UserWindows as CallerWindows } from "../../src/index.ts";
import local from "../../src/local/worker.ts";
import { secretKeyOf } from "../../src/setup/secret-key.ts";
import { sealOf } from "../../src/caller/audit/anchors.ts";
import { AuditLog } from "../../src/caller/audit/audit-log.ts";
import { AuditIndex as ChainIndex } from "../../src/caller/audit/audit-index.ts";
import { anchorSchema } from "../../src/caller/audit/chain.ts";
import { ADMITTED, type Attempt } from "../../src/caller/audit/records.ts";
import { createStore } from "../../src/caller/store.ts";

// The Worker as it runs on this machine, whose Durable Objects can be filled at once: lab scale measures it.

export * from "../../src/local/worker.ts";

/** How often a record of the chain has a rule's word. */
const HIT_EACH = 1_000;

export class UserWindows extends CallerWindows {
  /** Writes a chain of so many records, an attempt and an outcome for each call, from `from` to `to` (milliseconds). */
  async fill(principal: string, count: number, from: number, to: number, retentionMs: number): Promise<void> {
    const store = createStore(this.ctx.storage.sql);
    const log = new AuditLog(store);
    log.begin(principal, retentionMs, from);
    const step = (to - from) / count;
    for (let index = 0; index + 1 < count; index += 2) {
      const at = Math.floor(from + index * step);
      const seq = log.append(
        {
          kind: "attempt",
          target: "tool",
          name: "get_product",
          decision: ADMITTED,
          bucket: "calls",
          weight: 1,
          roles: ["shopper"],
          digest: "a digest",
          arguments: `{"sku":"SKU-${index}"}`,
          protocol: "2026-07-28",
          client: "scale/1",
          correlation_id: `scale-${index}`,
          flow: null,
          catalog_size: 20_000,
          hits: index % HIT_EACH === 0 ? [HIT] : [],
        },
        at,
      );
      log.append(
        {
          kind: "outcome",
          attempt: seq,
          outcome: "ok",
          records: 1,
          bytes: 300,
          duration_ms: 3,
          flow: null,
          withheld: null,
          hits: [],
        },
        at,
      );
    }
    store.saveFlow([], count);
    await this.ctx.storage.sync();
    // The object in memory knows nothing of these records.
    this.ctx.abort("filled");
  }

  /** Makes the alarm ring now. */
  async ring(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now());
  }

  /** Ends the object, as an eviction does. */
  end(): void {
    this.ctx.abort("evicted");
  }

  /** How many records are left; an object that has ended has no table. */
  count(): number {
    const { sql } = this.ctx.storage;
    const isOver = sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'records'").toArray().length === 0;
    return isOver ? 0 : Number(sql.exec("SELECT count(*) AS n FROM records").one()["n"]);
  }
}

type Hit = Attempt["hits"][number];
const HIT: Hit = {
  rule: "catalog-crawl",
  version: 1,
  mode: "shadow",
  verdict: "throttle",
  observed: 200,
  threshold: 199,
  window: 86_400_000,
  events: [1],
};

export class AuditIndex extends ChainIndex {
  /** Has the chains, but that of number 2, of callers number `from` to `to`, each begun at 1, under the names that the test gives them. */
  fill(from: number, to: number): void {
    this.ctx.storage.sql.exec(
      `WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
       INSERT OR REPLACE INTO chains (principal, started_at)
         SELECT CASE WHEN i % 2 THEN 'anon-' || i ELSE 'many-' || i END, 1 FROM n WHERE i <> 2`,
      from,
      to,
    );
  }
}

/** Seals the rows of D1 as the callers' objects would have. */
async function sealRows(env: Pick<Env, "DB">, key: string | undefined): Promise<void> {
  for (let after = ""; ;) {
    const { results } = await env.DB.prepare(
      "SELECT * FROM audit_anchors WHERE principal > ? ORDER BY principal LIMIT 2000",
    )
      .bind(after)
      .all();
    const anchors = anchorSchema.array().parse(results);
    const last = anchors.at(-1);
    if (last === undefined) return;
    after = last.principal;
    const seals = anchors.map((anchor) => [anchor.principal, sealOf(anchor, key)]);
    await env.DB.prepare(
      `UPDATE audit_anchors SET seal = s.value ->> 1 FROM json_each(?) s WHERE principal = s.value ->> 0`,
    )
      .bind(JSON.stringify(seals))
      .run();
  }
}

interface Filled extends Omit<Env, "USER_WINDOWS" | "AUDIT_INDEX"> {
  USER_WINDOWS: DurableObjectNamespace<UserWindows>;
  AUDIT_INDEX: DurableObjectNamespace<AuditIndex>;
}

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    const number = (name: string) => Number(searchParams.get(name));
    const principal = searchParams.get("principal") ?? "";
    const object = () => env.USER_WINDOWS.getByName(principal);
    switch (pathname) {
      case "/__scale/chain":
        // Ends in the object's own abort.
        await object()
          .fill(principal, number("count"), number("from"), number("to"), number("retention"))
          .catch(() => {});
        return Response.json(await object().count());
      case "/__scale/index":
        await env.AUDIT_INDEX.getByName("index").fill(number("from"), number("to"));
        return Response.json("filled");
      case "/__scale/seals":
        await sealRows(env, await secretKeyOf(env));
        return Response.json("sealed");
      case "/__scale/ring":
        await object().ring();
        return Response.json("rung");
      case "/__scale/end":
        await object()
          .end()
          .catch(() => {});
        return Response.json("ended");
      case "/__scale/ping":
        return Response.json(await object().ping());
      case "/__scale/count":
        return Response.json(await object().count());
      default:
        return local.fetch(request, env, ctx);
    }
  },
} satisfies ExportedHandler<Filled>;
