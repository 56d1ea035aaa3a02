import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Packages that ship source maps without their sources are not our news.
  logLevel: "error",
  test: {
    reporters: [process.stdout.isTTY ? "default" : "dot", "./test/count-reporter.ts"],
    projects: [
      {
        // Inside workerd, with real D1. `include` is what keeps Node's tests out of here: they would hang.
        plugins: [
          cloudflareTest({
            main: "./src/index.ts",
            wrangler: { configPath: "./wrangler.toml" },
            remoteBindings: false,
          }),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          provide: { fuzzRuns: Number(process.env["FUZZ_RUNS"] ?? 2_000) },
        },
      },
      {
        // What takes long and changes seldom: interrupts, full disks, killed servers. CI runs it.
        test: {
          name: "slow",
          include: ["test/slow/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // The bundle and the command line, from outside.
        test: { name: "node", include: ["test/node/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
      },
    ],
  },
});
