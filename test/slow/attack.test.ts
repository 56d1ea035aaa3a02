import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Webhook } from "standardwebhooks";
import * as z from "zod";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { listenOn } from "../node/support/listen-on.ts";
import { runCommand } from "../node/support/run-command.ts";

const SECRET = `whsec_${Buffer.from("a secret of twenty-four bytes or more").toString("base64")}`;

const deliveredSchema = z.object({
  type: z.literal("flow.incident"),
  data: z.object({ principal: z.string(), rule: z.string(), severity: z.string(), status: z.string() }),
});

let folder: string;
let server: LocalServer;
const delivered: z.output<typeof deliveredSchema>["data"][] = [];
/** Accepts only requests signed with the secret; the library throws at a bad signature. */
const webhook = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => (body += text));
  request.on("end", () => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    delivered.push(deliveredSchema.parse(new Webhook(SECRET).verify(body, headers)).data);
    response.end();
  });
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-attack-"));
  const origin = await listenOn(webhook);
  const stateDir = join(folder, "state");
  server = await startServer({
    stateDir,
    vars: {
      INCIDENT_WEBHOOK_URL: `${origin}/incidents`,
      INCIDENT_WEBHOOK_SECRET: SECRET,
    },
  });
  await demoKeys(server, stateDir);
});
afterAll(async () => {
  await server.close();
  webhook.close();
  await rm(folder, { recursive: true });
});

const verdictSchema = z.object({
  user: z.string(),
  same: z.boolean(),
  live: z.object({ action: z.string(), people_before: z.int(), products_before: z.int() }),
  replayed: z.object({ action: z.string(), rules: z.array(z.string()) }),
});

async function attack(family: string) {
  const args = [family, "--state", join(folder, "state"), "--json"];
  const { code, stdout, stderr } = await runCommand("lab attack", args);
  expect(stderr).toBe("");
  return { code, ...verdictSchema.parse(JSON.parse(stdout)) };
}

// The live Worker decides as a replay of the trace predicts, and a replay of its audit agrees.
describe("npx product-catalog-mcp lab attack", () => {
  it.each([
    ["profile-loop", "confirm", 7],
    ["padded-loop", "confirm", 7],
    ["phase-batch", "confirm", 7],
    ["class-each", "confirm", 7],
    ["side-by-side", "confirm", 7],
    ["search-harvest", "confirm", 7],
    ["order-guessing", "confirm", 7],
    ["customer-enumeration", "confirm", 7],
    ["list-in-a-ticket", "confirm", 5],
    ["explained-afterwards", "confirm", 8],
    ["many-accounts", "confirm", 7],
    ["tainted-write", "confirm", 1],
  ])("%s ends in %s before more than %i people, live and in its replay", async (family, action, people) => {
    const { code, same, live, replayed } = await attack(family);
    expect(live.action).toBe(action);
    expect(live.people_before).toBeLessThanOrEqual(people);
    expect(replayed.action).toBe(action);
    expect(same).toBe(true);
    expect(code).toBe(0);
  });

  it("canary is answered, flagged, and reported to the webhook at once, signed", async () => {
    const { live, replayed, user } = await attack("canary");
    expect(live.action).toBe("allow");
    expect(replayed).toMatchObject({ action: "flag", rules: ["canary"] });
    expect(delivered.filter(({ principal }) => principal === user)).toMatchObject([
      { rule: "canary", severity: "critical", status: "open" },
    ]);
  });

  it("lists the families if it gets an unknown one", async () => {
    const { code, stderr } = await runCommand("lab attack", ["nothing"]);
    expect(code).toBe(1);
    expect(stderr).toContain("profile-loop");
  });
});
