import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { DEPLOYED, ORIGIN, answers, bearer, form, post, search, send } from "../identity/support/deployed.ts";
import { signedIn } from "../identity/support/browser.ts";
import { register } from "../identity/support/oauth-client.ts";
import { keyOf } from "../identity/support/people.ts";
import { fill, sample } from "../support/catalog.ts";
import { ADA, fillDesk } from "../support/desk.ts";
import { breaks } from "../support/hanging.ts";
import { listen } from "./support.ts";

// Telemetry never makes a request fail: each sink is broken in turn, on every kind of route.

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
});
afterEach(() => vi.restoreAllMocks());

const broken = () => {
  throw new Error("this sink is broken");
};
const SINKS: [what: string, breakIt: () => (() => void) | void][] = [
  ["Analytics Engine throws", () => void vi.spyOn(env.EVENTS, "writeDataPoint").mockImplementation(broken)],
  [
    "the metrics hub can't be named",
    () => void vi.spyOn(env.METRICS_HUB, "getByName").mockImplementation(broken),
  ],
  ["the metrics hub rejects", () => breaks("METRICS_HUB", "throws")],
  ["the metrics hub hangs", () => breaks("METRICS_HUB", "hangs")],
  [
    "the console throws",
    () => {
      for (const level of ["log", "info", "warn", "error", "debug"] as const)
        vi.spyOn(console, level).mockImplementation(broken);
    },
  ],
];

const rpc = (method: string, params: object) => ({ jsonrpc: "2.0", id: 1, method, params });

/** Calls every kind of route. Returns each status, or the code that a call was refused with. */
async function askAll() {
  const settings = { ...DEPLOYED, PUBLIC_CATALOG: "on" };
  const shopper = bearer(await keyOf(["shopper"]));
  const agent = bearer(await keyOf(["support"]));
  const admin = await keyOf(["admin"]);
  const called = async (response: Promise<Response>) => {
    const answered = await answers(await response);
    return answered.map(
      ({ result, error }) => error?.data.code ?? (result?.isError === true ? "refused" : "ok"),
    );
  };
  const status = async (response: Promise<Response>) => [(await response).status];
  const browser = await signedIn(admin);
  return {
    tool: await called(post(search(), shopper)),
    batch: await called(post([search(1), search(2)], shopper)),
    personal: await called(
      post(rpc("tools/call", { name: "get_customer", arguments: { customer_id: ADA } }), agent),
    ),
    resource: await called(post(rpc("resources/read", { uri: "catalog://categories" }), shopper)),
    prompt: await called(
      post(rpc("prompts/get", { name: "find_product", arguments: { need: "x" } }), shopper),
    ),
    list: await called(post(rpc("tools/list", {}), shopper)),
    unknown: await called(post(rpc("tools/call", { name: "nothing" }), shopper)),
    public: await called(post(search(), {}, { url: `${ORIGIN}/mcp/public`, settings })),
    unauthenticated: await status(post(search(), {})),
    garbage: await status(send("/mcp", { method: "POST", headers: shopper, body: "{" })),
    registration: [(await register()) !== ""],
    tokens: await status(send("/oauth/token", form({ grant_type: "refresh_token", client_id: "x" }))),
    signIn: await status(send("/sign-in")),
    dashboard: await status(browser.request("/admin")),
    api: await status(send("/admin/api/users", { headers: bearer(admin) })),
    ready: await status(send("/readyz")),
    nowhere: await status(send("/nowhere")),
  };
}

const WORKS = {
  tool: ["ok"],
  batch: ["ok", "ok"],
  personal: ["ok"],
  resource: ["ok"],
  prompt: ["ok"],
  list: ["ok"],
  unknown: ["unknown_tool"],
  public: ["ok"],
  unauthenticated: [401],
  garbage: [400],
  registration: [true],
  tokens: [401],
  signIn: [200],
  dashboard: [200],
  api: [200],
  ready: [200],
  nowhere: [404],
};

it.each(SINKS)("every route answers as usual when %s", async (_, breakIt) => {
  const over = breakIt();
  const seen = await askAll();
  over?.();
  expect(seen).toEqual(WORKS);
});

it("a sink that throws does not affect the others, and is logged with the call's name", async () => {
  const { named, until } = listen();
  vi.spyOn(env.EVENTS, "writeDataPoint").mockImplementation(broken);
  const response = await post(search(), bearer(await keyOf(["shopper"])));
  await answers(response);
  await until("internal_error");
  const id = response.headers.get("x-request-id");
  expect(named("internal_error")).toMatchObject([{ correlation_id: id, what: "analytics" }]);
  expect(named("tool_invocation_completed")).toMatchObject([{ correlation_id: id }]);
});
