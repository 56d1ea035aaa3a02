import { createServer } from "node:http";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { askWorker } from "../../cli/deploy/execute.ts";
import { type Deployed, type Found, NOTHING, type Wanted, plan } from "../../cli/deploy/plan.ts";
import { listenOn } from "./support/listen-on.ts";

const wanted: Wanted = {
  worker: "shop",
  database: "catalog",
  store: "shop-oauth-kv",
  digest: "d1",
  settings: ["PUBLIC_URL"],
};
const deployed: Deployed = {
  digests: ["d1"],
  databaseId: "db",
  storeId: "kv",
  settings: [],
};
const whole: Found = { worker: deployed, database: { id: "db", tables: undefined }, storeId: "kv" };
const withWorker = (changes: Partial<Deployed>): Found => ({ ...whole, worker: { ...deployed, ...changes } });

/** Returns the actions on database, namespace and Worker; or the problem. */
function actions(found: Found, options?: { removeSettings: boolean }): string[] | string {
  const planned = plan(found, wanted, options);
  return planned.ok ? planned.steps.map(({ action }) => action) : planned.problem;
}

describe("plan", () => {
  it.each<[string, Found, string[]]>([
    ["nothing exists", NOTHING, ["create", "create", "deploy"]],
    ["everything exists", whole, ["keep", "keep", "keep"]],
    ["changed code", withWorker({ digests: ["d0"] }), ["keep", "keep", "deploy"]],
    ["deployed by another command", withWorker({ digests: [undefined] }), ["keep", "keep", "deploy"]],
    ["half rolled out", withWorker({ digests: ["d0", "d1"] }), ["keep", "keep", "deploy"]],
    ["a Worker that serves nothing", withWorker({ digests: [] }), ["keep", "keep", "deploy"]],
    [
      "broken off before the upload",
      { worker: undefined, database: { id: "db", tables: [] }, storeId: "kv" },
      ["connect", "connect", "deploy"],
    ],
    [
      "a database of an earlier deployment",
      { ...NOTHING, database: { id: "db", tables: ["products", "catalog_state"] } },
      ["connect", "create", "deploy"],
    ],
    [
      "another database is bound",
      { ...withWorker({ databaseId: "old" }), database: undefined },
      ["create", "keep", "deploy"],
    ],
  ])("%s", (_, found, expected) => {
    expect(actions(found)).toEqual(expected);
  });

  it("connects an existing namespace, and names none that is already bound", () => {
    expect(plan({ ...NOTHING, storeId: "kv" }, wanted)).toMatchObject({ connectStore: "kv" });
    expect(plan(whole, wanted)).toMatchObject({ connectStore: undefined });
  });

  it("refuses another project's database", () => {
    expect(actions({ ...NOTHING, database: { id: "db", tables: ["albums"] } })).toContain(
      "belongs to another project",
    );
  });

  it("removes settings only if told to, and ignores those of a Worker that it keeps", () => {
    const settings = ["PUBLIC_URL", "PUBLIC_CATALOG"];
    expect(actions(withWorker({ digests: ["d0"], settings }))).toMatch(/does not name: PUBLIC_CATALOG\.\n/);
    expect(actions(withWorker({ digests: ["d0"], settings }), { removeSettings: true })).toEqual([
      "keep",
      "keep",
      "deploy",
    ]);
    expect(actions(withWorker({ settings }))).toEqual(["keep", "keep", "keep"]);
  });
});

describe("askWorker", () => {
  it("polls the setup page until the time is up, and returns the last answer", async () => {
    const asked: string[] = [];
    const statuses = [503, 200, 409];
    const server = createServer((request, response) => {
      response
        .writeHead(statuses[asked.push(request.url ?? "") - 1] ?? 500)
        .end("This server is not configured\n");
    });
    const url = await listenOn(server);
    expect(await askWorker(url, 0)).toEqual({ ok: false, reason: "HTTP 503: This server is not configured" });
    expect(await askWorker(url, 60)).toEqual({ ok: true, isNew: true });
    expect(await askWorker(url, 0)).toEqual({ ok: true, isNew: false });
    expect(asked).toEqual(["/setup", "/setup", "/setup"]);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    expect(await askWorker(url, 0)).toEqual({ ok: false, reason: "no answer" });
  });
});
