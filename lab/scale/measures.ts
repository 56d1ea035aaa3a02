// Times one thing on a server of any size.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ROOT } from "../../cli/wrangler.ts";
import { runtimeBytes } from "../bench/memory.ts";
import { addCallers } from "../support/callers.ts";
import { readChain } from "../support/chains.ts";
import { codeOf } from "../support/codes.ts";
import { WORDS } from "../eval/scaled-catalog.ts";
import { modern, send } from "../support/requests.ts";
import type { Scaled } from "./scaled.ts";

export type Ask = (scaled: Scaled) => Promise<unknown>;

const PAGES = [
  "/admin",
  "/admin?range=30d",
  "/admin/incidents",
  "/admin/incidents?which=all",
  "/admin/incidents?folded=catalog-guessing",
  "/admin/incidents/0000000000000000000002",
  "/admin/callers",
  "/admin/callers?q=ada",
  "/admin/callers?q=anon",
  "/admin/callers/many-2",
  "/admin/audit",
  "/admin/audit/many-2",
  "/admin/policy",
  "/account",
];
const LISTS = [
  "/users",
  "/users?limit=1000",
  "/keys",
  "/keys?user=many-2",
  "/signing-keys",
  "/incidents",
  "/incidents?which=open",
  "/incidents?folded=catalog-guessing",
  "/audit",
];
/** As an operator types them. */
const COMMANDS = ["users list", "keys list", "signing-keys list", "incidents", "audit list"];
const CALLS: Record<string, [tool: string, args: object]> = {
  "search_products, a rare word": ["search_products", { query: WORDS.rare }],
  get_product: ["get_product", { sku: "SKU-10001" }],
  query_stock: ["query_stock", { skus: ["SKU-10001", "SKU-10002"] }],
};
const run = promisify(execFile);

/** A dashboard's pages, the admin API's lists, calls of a shopper, and an object that wakes up. */
export function quickMeasures(): [name: string, ask: Ask][] {
  const keys = new WeakMap<Scaled, string>();
  const keyOf = async (scaled: Scaled): Promise<string> => {
    const [key = ""] = keys.has(scaled)
      ? [keys.get(scaled)]
      : await addCallers(scaled.server, ["scale-caller"]);
    keys.set(scaled, key);
    return key;
  };
  return [
    ...PAGES.map((path): [string, Ask] => [path, (scaled) => scaled.page(path)]),
    ...LISTS.map((path): [string, Ask] => [`/admin/api${path}`, (scaled) => scaled.api(path)]),
    ...Object.entries(CALLS).map(([name, [tool, args]]): [string, Ask] => [
      name,
      async (scaled) => {
        const request = modern("/mcp", ["tools/call", { name: tool, arguments: args }]);
        const authorization = `Bearer ${await keyOf(scaled)}`;
        const answer = await send(scaled.url, { ...request, headers: { ...request.headers, authorization } });
        if (answer === undefined || codeOf(answer) !== "answered")
          throw new Error(`${name}: ${answer?.body.slice(0, 200)}`);
      },
    ]),
  ];
}

export const commandMeasures = (): [name: string, ask: Ask][] =>
  COMMANDS.map((command) => [
    `npx product-catalog-mcp ${command}`,
    ({ stateDir }) =>
      run(process.execPath, ["bin/product-catalog-mcp.mjs", ...command.split(" "), `--state=${stateDir}`], {
        cwd: ROOT,
        maxBuffer: 1e9,
      }),
  ]);

/** Milliseconds until an object with the long chain answers after an eviction. */
export async function wakeUp(scaled: Scaled): Promise<number> {
  await scaled.end("many-2");
  const started = performance.now();
  await scaled.ping("many-2");
  return performance.now() - started;
}

/** Exports and verifies the long chain. Returns the milliseconds; throws if the chain is not whole. */
export async function exportAndVerify({ url, key }: Scaled, records: number): Promise<number> {
  const started = performance.now();
  const chain = await readChain(url, key, "many-2");
  if (chain === undefined || chain.problem !== undefined || chain.records < records)
    throw new Error(
      `The chain has ${chain?.records} records of ${records}: ${chain?.problem ?? "no problem"}`,
    );
  return performance.now() - started;
}

/** The longest wait of a call, in milliseconds, while the records of a chain are pruned. */
export async function waitWhilePruning(scaled: Scaled, count: number): Promise<number> {
  const principal = "pruned-1";
  const day = 86_400_000;
  await scaled.fillChain(principal, count, { from: Date.now() - 90 * day, to: Date.now() - 60 * day });
  await scaled.ping(principal);
  await scaled.ring(principal);
  let longest = 0;
  const end = Date.now() + 1_000;
  while (Date.now() < end) {
    const start = performance.now();
    await scaled.ping(principal);
    longest = Math.max(longest, performance.now() - start);
  }
  if ((await scaled.records(principal)) >= count) throw new Error("Nothing was pruned.");
  return longest;
}

/** Megabytes of the runtime. */
export async function memoryOf({ stateDir }: Scaled): Promise<number> {
  return (await runtimeBytes(stateDir)) / 1024 ** 2;
}
