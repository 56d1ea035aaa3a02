/** Number of bodies that the endpoint is fuzzed with. */
export type FuzzRuns = number;

declare module "vitest" {
  /** Values that vitest.config.ts gives to the tests. */
  interface ProvidedContext {
    fuzzRuns: FuzzRuns;
    /** Where values are checked against UCP's schemas (test/node/support/schema-server.ts). */
    schemaServer: string;
    /** Delivers feeds and receives webhooks (test/node/support/feed-server.ts). */
    feedServer: string;
  }
}
