import type { Connections, LoadRequest } from "./load.ts";

/** One caller's burst of work: as many calls as its rate limit allows. */
export type Burst = (connections: Connections, url: string, key: string) => Promise<void>;

const BATCH = 100;

export const mcpRequest = (key: string, body: unknown): LoadRequest => ({
  method: "POST",
  path: "/mcp",
  headers: {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  },
  body: JSON.stringify(body),
});

export const toolCall = (name: string, args: object, id = 1) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

/** Each search has different prices, so that no answer can come from a cache. */
const searches = (query: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    toolCall(
      "search_products",
      { query, limit: 1, min_price: 500 + index / 100, max_price: 500.005 + index / 100 },
      index + 1,
    ),
  );

const batch =
  (query: string): Burst =>
  async (connections, url, key) => {
    await connections.send(url, mcpRequest(key, searches(query, BATCH)));
  };

const parallel =
  (query: string, count: number): Burst =>
  async (connections, url, key) => {
    await Promise.all(searches(query, count).map((each) => connections.send(url, mcpRequest(key, each))));
  };

/** Floods with which one caller can keep a server busy. */
export const FLOODS: Record<string, Burst> = {
  "batch: ten common words": batch("laptop phone screen desk chair light case cable keyboard mouse"),
  "batch: ten misspelt words": batch("wirless keborrd mosue latopp stnnd csable chrgger phonne csaee scrren"),
  "batch: ten codes": batch(
    "SKU-10001 SKU-10002 SKU-10003 SKU-10004 SKU-10005 SKU-10006 SKU-10007 SKU-10008",
  ),
  "batch: 100 ligatures (U+FDFA)": batch("\uFDFA".repeat(100)),
  "batch: 100 unknown tools": async (connections, url, key) => {
    const calls = Array.from({ length: BATCH }, (_, index) => toolCall("no_such_tool", {}, index + 1));
    await connections.send(url, mcpRequest(key, calls));
  },
  "60 searches at once": parallel("wireless keyboard", 60),
};
