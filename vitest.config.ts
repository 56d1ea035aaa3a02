import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { builtinModules } from "node:module";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { lostFlags } from "./cli/npm-flags.ts";
import { useFastFiles } from "./test/fast-files.ts";
import { LongestFirst } from "./test/longest-first.ts";
import { undoDevVars } from "./test/own-settings.ts";

const TMPDIR = useFastFiles();
// A developer's own settings must not change what the tests see.
process.env["CATALOG_DEV_VARS"] = "off";

// The flags with which vitest runs fewer tests, or changes files. `npm test --project node` would lose its flag.
const SWITCHES = ["changed", "coverage", "update", "watch"];
const VALUES = ["bail", "dir", "exclude", "project", "reporter", "retry", "shard", "t", "testNamePattern"];
const scriptWords = process.env["npm_lifecycle_script"]?.split(" ").length ?? 0;
const lost = lostFlags(
  [...SWITCHES.map((name) => ({ name })), ...VALUES.map((name) => ({ name, accepts: () => true }))],
  process.argv.slice(1 + scriptWords),
  process.env,
);
if (lost !== undefined) throw new Error(lost);

const BROWSER = "./test/node/support/find-browser.ts";

// What src/ and the tests import of packages: as one file each, which workerd has not to ask for module by module.
const BUNDLED = [
  "@cloudflare/workers-oauth-provider",
  "@modelcontextprotocol/client",
  "@modelcontextprotocol/sdk/client/index.js",
  "@modelcontextprotocol/sdk/client/streamableHttp.js",
  "@modelcontextprotocol/server",
  "agents/mcp/server",
  "chardet",
  "csv-parse",
  "fast-check",
  "fastest-levenshtein",
  "hono",
  "hono/body-limit",
  "hono/cookie",
  "hono/cors",
  "hono/csrf",
  "hono/factory",
  "hono/http-exception",
  "hono/tiny",
  "hono/html",
  "hono/jsx",
  "hono/jsx/jsx-dev-runtime",
  "htmlparser2",
  "http-message-sig",
  "openid-client",
  "sax",
  "standardwebhooks",
  "zod",
];

/**
 * Files that npm run test:slow runs instead of npm test, which shall take two minutes: each takes long, because it starts processes,
 * fills much, or checks many combinations of what shorter files check once. CI runs both.
 */
const LONG = {
  worker: [
    "admin/decisions",
    "admin/hidden-chains",
    "admin/shared-budget",
    "caller/anchors",
    "caller/incidents",
    "caller/later-release",
    "caller/replay",
    "caller/replay-rate",
    "cost",
    "detection/completion",
    "detection/live",
    "detection/parallel",
    "detection/stock-size",
    "detection/ways-around",
    "feeds/decisions",
    "feeds/failures",
    "feeds/files",
    "feeds/month",
    "guard/anonymous-callers",
    "guard/batch",
    "guard/many-behind-one",
    "guard/read-ahead",
    "hanging",
    "identity/kept-identities",
    "interop",
    "leaks",
    "stock-changes",
    "stock-model",
    "telemetry/broken-sinks",
    "telemetry/secrets",
    "ucp/generated",
    "ucp/signed",
    "ucp/tools",
  ].map((name) => `test/worker/${name}.test.ts`),
  node: [
    "admin-command",
    "bundle",
    "bundle-watch",
    "command-line",
    "conformance",
    "deployed-bundle",
    "detection/fulfilment",
    "detection/replay",
    "detection/state",
    "detection/targets",
    "feed-command",
    "import",
    "import-bounds",
    "setup.browser",
    "stdio/stdio",
  ].map((name) => `test/node/${name}.test.ts`),
};

/** Inside workerd, with real D1. */
const workerd = (name: string, include: string[], exclude: string[] = []) => ({
  plugins: [
    cloudflareTest({
      main: "./src/index.ts",
      // workerd would print each error of an object with its stack, also the errors that a test causes and expects. The caller
      // of the object gets the error anyway, and a rejection that nobody handles fails the run.
      verbose: false,
      wrangler: { configPath: "./wrangler.toml" },
      remoteBindings: false,
      // wrangler.toml binds no bucket; a test that wants one assigns it to FEED_FILES.
      miniflare: { r2Buckets: ["TEST_BUCKET"], bindings: undoDevVars() },
    }),
  ],
  test: {
    name,
    // Node's tests would hang in there.
    include,
    exclude,
    isolate: false,
    // A group of its own: workerd is shared only by files that follow each other, and its start takes as long as ten files.
    sequence: { groupOrder: 1 },
    setupFiles: ["./test/worker/support/empty-storage.ts"],
    globalSetup: ["./test/node/support/schema-server.ts", "./test/node/support/feed-server.ts"],
    testTimeout: name === "slow-worker" ? 60_000 : 20_000,
    hookTimeout: name === "slow-worker" ? 60_000 : 20_000,
    deps: {
      optimizer: {
        ssr: {
          enabled: true,
          include: BUNDLED,
          // workerd has Node's modules built in; the optimizer would look for files of that name.
          rolldownOptions: { external: [/^node:/, ...builtinModules] },
        },
      },
    },
    provide: { fuzzRuns: Number(process.env["FUZZ_RUNS"] ?? 500) },
  },
});

export default defineConfig({
  // Packages that ship source maps without their sources are not our news.
  logLevel: "error",
  test: {
    // One less by default, and half of a file's time is waiting for workerd to start.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    // Every call under test writes its log lines; they are news where a test fails.
    silent: "passed-only",
    // A line for each file, and one for each test that fails.
    reporters: [["default", { summary: process.stdout.isTTY }], "./test/count-reporter.ts"],
    slowTestThreshold: 60_000,
    // The test runner turns off the runtime's handling of promises that one object makes and another settles
    // (handle_cross_request_promise_resolution), so one that is settled when nobody waits for it any more may reject like this. A
    // promise that somebody waits for fails its test by the time limit.
    onUnhandledError: ({ message }) =>
      !/^Cannot perform I\/O on behalf of a different Durable Object.*RefcountedFulfiller/.test(message),
    projects: [
      workerd("worker", ["test/worker/**/*.test.ts"], LONG.worker),
      workerd("slow-worker", LONG.worker),
      // Makes what a test of stored state begins with; it is kept in the repository.
      workerd("state", ["test/worker/stored/state.make.ts"]),
      {
        // What takes long and changes seldom: interrupts, full disks, killed servers. CI runs it.
        test: {
          name: "slow",
          // Its databases of a million products would fill the memory.
          env: { TMPDIR },
          globalSetup: BROWSER,
          include: ["test/slow/**/*.test.ts", ...LONG.node],
          // They wait for traffic, deadlines, alarms and restarts, so one for each core leaves cores idle. With two for each, those that
          // compare times (scale, faults) fail now and then.
          maxWorkers: Math.ceil(1.5 * availableParallelism()),
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "pictures",
          globalSetup: BROWSER,
          include: ["test/slow/*.pictures.ts"],
          testTimeout: 120_000,
        },
      },
      {
        // The bundle and the command line, from outside.
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          exclude: LONG.node,
          // wrangler alone takes two seconds to load.
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
