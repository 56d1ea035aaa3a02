import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { anyCopy } from "../../src/database/copies.ts";
import { ensureMigrated } from "../../src/database/migrate.ts";
import { runBatch } from "../../src/database/run-batch.ts";
import migrations from "../../src/database/migrations.json" with { type: "json" };

const one = (sql: string) => env.DB.prepare(sql).first();

/**
 * Returns the same database behind a handle that no request has seen yet, as in a new isolate. `starts` collects what its
 * sessions start with.
 */
function freshHandle(starts: (string | undefined)[] = []): D1Database {
  return {
    prepare: (sql) => env.DB.prepare(sql),
    batch: (statements) => env.DB.batch(statements),
    exec: (sql) => env.DB.exec(sql),
    withSession(start) {
      starts.push(start);
      return env.DB.withSession(start);
    },
    dump: () => env.DB.dump(),
  };
}

/** The version of a database. Later versions sort behind earlier ones. */
const BOOKMARK = /^[\da-f]{8}-/;

async function dropEverything(): Promise<void> {
  // Newest first, so that nothing is dropped while another table refers to it.
  const { results } = await env.DB.prepare(
    `SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'trigger') AND name NOT LIKE 'sqlite_%'
       AND name NOT LIKE '_cf_%' AND name NOT GLOB 'product_search_*' AND name NOT GLOB 'vocabulary_trigrams_*'
       AND name NOT GLOB 'caller_words_*'
     ORDER BY type DESC, rowid DESC`,
  ).all<{ type: string; name: string }>();
  await runBatch(
    env.DB,
    results.map(({ type, name }) => ({ sql: `DROP ${type} IF EXISTS ${name}`, values: [] })),
  );
}

describe("migrations", () => {
  beforeEach(dropEverything);

  it("apply once when ten first requests arrive together", async () => {
    // One wrapper per request, so that none finds another's migration already marked as done.
    const databases = Array.from({ length: 10 }, () => freshHandle());
    await Promise.all(databases.map((db) => ensureMigrated(db)));
    const { results } = await env.DB.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
    expect(results).toEqual(migrations.map(({ name }) => ({ name })));
    expect(await one("SELECT count(*) AS n FROM products")).toEqual({ n: 0 });
  });

  it.each(["applied", "found"])("that are %s at the primary are awaited by every copy", async (how) => {
    if (how === "found") await ensureMigrated(freshHandle());
    const former = env.DB.withSession("first-primary");
    await former.prepare("SELECT 1").first();
    const starts: string[] = [];
    const db = freshHandle(starts);
    anyCopy(db);
    expect(starts).toEqual(["first-unconstrained"]);
    await ensureMigrated(db);
    expect(new Set(starts.slice(1))).toEqual(new Set(["first-primary"]));
    anyCopy(db);
    const versions = [former.getBookmark() ?? "", starts.at(-1) ?? ""];
    expect(versions).toEqual([expect.stringMatching(BOOKMARK), expect.stringMatching(BOOKMARK)]);
    expect(versions).toEqual(versions.toSorted());
  });

  it("leave nothing half done if a statement fails, and report it", async () => {
    await env.DB.prepare("CREATE TABLE stock (x)").run();
    await expect(ensureMigrated(freshHandle())).rejects.toThrow(/stock/);
    expect(await one("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'products'")).toEqual({ n: 0 });
  });
});
