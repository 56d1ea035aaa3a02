// How CI runs each command that the pages name. test/slow/documented-commands.test.ts runs the forms in this
// order in a copy of the project, beside a server. A documented command without a form here fails
// test/node/documented-commands.test.ts.

/**
 * The smallest form of a command; "" runs the command as it stands. `codes` are the accepted exit codes; the
 * default is 0.
 */
export interface RunForm {
  run: string;
  codes?: number[];
}
/**
 * A command that never ends: it is started, must print `prints`, and is ended. `send` goes to its standard
 * input.
 */
export interface StartForm {
  starts: string;
  prints: string;
  send?: string;
}
export type Form =
  | RunForm
  | StartForm
  /** Another documented command whose form covers this one. */
  | { like: string }
  /** A test that runs it, or .ci/run. */
  | { ranBy: string }
  /** Why nothing runs it. */
  | { notRun: string };

const ACCOUNT = { notRun: "needs an account" };
const AS_IT_STANDS: RunForm = { run: "" };

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "ci", version: "1" } },
});

/** A call that the sample catalog answers. */
export const CALL = JSON.stringify({
  jsonrpc: "2.0",
  id: 2,
  method: "tools/call",
  params: { name: "list_categories", arguments: {} },
});

const SMALL_CATALOG = "--products products.jsonl.gz";
const SMALL_BENCH = `npm run -s bench -- ${SMALL_CATALOG} --starts 1 --rounds 1 --seconds 0.05 --warm-up 16`;

export const FORMS: Record<string, Form> = {
  "npm install": { notRun: "CI installs by npm ci, from the same lock file" },
  "npm ci": { ranBy: ".ci/run" },
  "npm install http-message-sig@0.3.0": { ranBy: "test/slow/signing-docs.test.ts" },

  "npm run dev": { starts: "npm run -s dev -- --port 0 --state dev-state", prints: "Ctrl-C" },
  "npm run stdio": { starts: "npm run -s stdio", send: `${INITIALIZE}\n${CALL}`, prints: "Electronics" },
  "npx product-catalog-mcp lab provider": {
    starts: "npx product-catalog-mcp lab provider --port 0",
    prints: "OIDC_ISSUER=",
  },
  "npx product-catalog-mcp lab provider --server http://127.0.0.1:PORT": {
    starts: "npx product-catalog-mcp lab provider --port 0 --server http://127.0.0.1:8787",
    prints: "OIDC_ISSUER=",
  },

  "npm run ask": { like: 'npm run ask -- "wireless keyboard"' },
  'npm run ask -- "wireless keyboard"': AS_IT_STANDS,
  'npx product-catalog-mcp ask --ucp "wireless keyboard"': AS_IT_STANDS,
  "npx product-catalog-mcp lab clients": {
    notRun: "installs 1.8 GB of other projects' programs; CI runs it",
  },
  "npx product-catalog-mcp lab attack profile-loop": AS_IT_STANDS,
  "npx product-catalog-mcp lab traffic": {
    run: "npx product-catalog-mcp lab traffic --seconds 2 --calls 10",
  },

  "npx product-catalog-mcp feed add https://YOUR-SHOP/google.xml --from google --every 6h --remove-missing": {
    run: "npx product-catalog-mcp feed add https://shop.example/google.xml --from google --every 6h --remove-missing",
  },
  "npx product-catalog-mcp feed add": {
    like: "npx product-catalog-mcp feed add https://YOUR-SHOP/google.xml --from google --every 6h --remove-missing",
  },
  "npx product-catalog-mcp feed list": AS_IT_STANDS,

  "npx product-catalog-mcp users bootstrap": {
    run: "npx product-catalog-mcp users bootstrap ada --state new-state",
  },
  "npx product-catalog-mcp users bootstrap NAME --remote": ACCOUNT,
  "npx product-catalog-mcp incidents": AS_IT_STANDS,
  "npx product-catalog-mcp incidents --open --all": AS_IT_STANDS,
  "npx product-catalog-mcp incidents --folded RULE": {
    run: "npx product-catalog-mcp incidents --folded catalog-crawl",
  },
  "npx product-catalog-mcp users recovery-code --remote": ACCOUNT,
  "npx product-catalog-mcp users list": AS_IT_STANDS,
  'npx product-catalog-mcp users add price-bot --service --name "Price bot" --roles shopper': AS_IT_STANDS,
  'npx product-catalog-mcp users add stock-watch --service --name "Stock watch" --roles shopper':
    AS_IT_STANDS,
  "npx product-catalog-mcp users roles": { run: "npx product-catalog-mcp users roles price-bot shopper" },
  'npx product-catalog-mcp keys create --user price-bot --label "nightly run" --days 90': AS_IT_STANDS,
  'npx product-catalog-mcp keys create --user stock-watch --label "nightly run" --require-signature':
    AS_IT_STANDS,
  "npx product-catalog-mcp keys create": {
    like: 'npx product-catalog-mcp keys create --user price-bot --label "nightly run" --days 90',
  },
  'npx product-catalog-mcp keys revoke "$KEY_ID"': AS_IT_STANDS,
  "npx product-catalog-mcp keys revoke KEY_ID": { like: 'npx product-catalog-mcp keys revoke "$KEY_ID"' },
  'npx product-catalog-mcp signing-keys create --user stock-watch --label "nightly run"': AS_IT_STANDS,
  'npx product-catalog-mcp signing-keys create --user stock-watch --label "nightly run" --public-key signing-key.public.pem':
    { ranBy: "test/slow/signing-docs.test.ts" },
  "npx product-catalog-mcp signing-keys create": {
    like: 'npx product-catalog-mcp signing-keys create --user stock-watch --label "nightly run"',
  },
  "npx product-catalog-mcp signing-keys revoke SIGN_ID": {
    run: 'npx product-catalog-mcp signing-keys revoke "$SIGN_ID"',
  },
  "npx product-catalog-mcp users disable price-bot": AS_IT_STANDS,
  "npx product-catalog-mcp users disable ID": { like: "npx product-catalog-mcp users disable price-bot" },
  "npx product-catalog-mcp users disable oidc-…": { like: "npx product-catalog-mcp users disable price-bot" },
  "npx product-catalog-mcp users enable ID": { run: "npx product-catalog-mcp users enable price-bot" },
  "npx product-catalog-mcp users delete ID": { run: "npx product-catalog-mcp users delete price-bot" },
  "npx product-catalog-mcp sign": { run: "npx product-catalog-mcp sign --help" },
  [`npx product-catalog-mcp sign http://127.0.0.1:8787/mcp --key-id "$SIGNING_KEY_ID" --tool query_stock --arguments '{"skus":["SKU-12847"]}'`]:
    { ranBy: "test/slow/signing-docs.test.ts" },
  [`npx product-catalog-mcp sign http://127.0.0.1:8787/mcp --key-id "$ED25519_KEY_ID" --secret-file signing-key.pem --tool query_stock --arguments '{"skus":["SKU-12847"]}'`]:
    { ranBy: "test/slow/signing-docs.test.ts" },

  "npx product-catalog-mcp --help": AS_IT_STANDS,
  "npx product-catalog-mcp COMMAND": { like: "npx product-catalog-mcp --help" },
  "npx --prefix /path/to/product-catalog-mcp product-catalog-mcp --help": {
    ranBy: "test/slow/npx.test.ts",
  },

  "npx product-catalog-mcp audit list": AS_IT_STANDS,
  "npx product-catalog-mcp audit calls user-001 --refused": AS_IT_STANDS,
  "npx product-catalog-mcp audit calls NAME --refused": {
    like: "npx product-catalog-mcp audit calls user-001 --refused",
  },
  "npx product-catalog-mcp audit calls --customer C-10042": AS_IT_STANDS,
  "npx product-catalog-mcp audit subject C-10042": AS_IT_STANDS,
  "npx product-catalog-mcp audit erase C-10042": AS_IT_STANDS,
  "npx product-catalog-mcp audit export user-001 -o chain.jsonl": AS_IT_STANDS,
  "npx product-catalog-mcp audit verify chain.jsonl": AS_IT_STANDS,
  "npx product-catalog-mcp audit export user-support -o chain.jsonl": AS_IT_STANDS,
  "npx product-catalog-mcp audit export NAME -o FILE": {
    like: "npx product-catalog-mcp audit export user-001 -o chain.jsonl",
  },
  "npx product-catalog-mcp audit export local -o FILE": {
    run: "npx product-catalog-mcp audit export local -o local.jsonl",
  },

  "npx product-catalog-mcp policy check": AS_IT_STANDS,
  "npx product-catalog-mcp policy check --write-schema": AS_IT_STANDS,
  "npx product-catalog-mcp lab traces benign --count 100 --seed 2": {
    run: "npx product-catalog-mcp lab traces benign --count 1 --seed 2",
  },
  "npx product-catalog-mcp lab traces attacks --count 40 --seed 2": {
    run: "npx product-catalog-mcp lab traces attacks --count 1 --seed 2",
  },
  "npx product-catalog-mcp lab company --days 4": { run: "npx product-catalog-mcp lab company --days 1" },
  "npx product-catalog-mcp lab traces frontier --count 20 --seed 1": {
    run: "npx product-catalog-mcp lab traces frontier --count 1 --seed 1",
  },
  "npx product-catalog-mcp policy replay - --summary": {
    run: "npx product-catalog-mcp policy replay - --summary < traces.dev.jsonl",
  },
  "npx product-catalog-mcp policy replay FILE --summary": {
    run: "npx product-catalog-mcp policy replay traces.dev.jsonl --summary",
  },
  "npx product-catalog-mcp policy replay traces.dev.jsonl.gz --summary": AS_IT_STANDS,
  "npx product-catalog-mcp policy replay traces.dev.jsonl.gz --summary --policy naive.json": AS_IT_STANDS,
  "npx product-catalog-mcp policy replay FILE --against OTHER.json": {
    run: "npx product-catalog-mcp policy replay traces.dev.jsonl --against other.json",
  },
  "npx product-catalog-mcp policy replay chain.jsonl --policy policy.json --against other.json": AS_IT_STANDS,

  "npx product-catalog-mcp import products.jsonl.gz": AS_IT_STANDS,
  "npx product-catalog-mcp import shop.csv --dry-run": AS_IT_STANDS,
  "npx product-catalog-mcp import shop.csv": AS_IT_STANDS,
  'npx product-catalog-mcp import shopify.csv --currency EUR --set "url=https://norr.example/products/{Handle}"':
    {
      ranBy: "test/node/import-presets.test.ts",
    },
  'npx product-catalog-mcp import woocommerce.csv --currency GBP --set "url=https://ridgeway.example/?p={ID}"':
    {
      ranBy: "test/node/import-presets.test.ts",
    },
  "npx product-catalog-mcp import google.tsv": {
    ranBy: "test/node/import-presets.test.ts",
  },
  "npx product-catalog-mcp import google.rss.xml": {
    ranBy: "test/node/import-presets.test.ts",
  },
  "npx product-catalog-mcp import google.atom.xml": {
    ranBy: "test/node/import-presets.test.ts",
  },
  "npx product-catalog-mcp import acp.json": {
    ranBy: "test/node/import-presets.test.ts",
  },
  "npx product-catalog-mcp import erp-latin1.csv --currency EUR --map sku=Artikelnummer --map name=Bezeichnung --map brand=Hersteller --map category=Warengruppe --map price=VK-Preis --map cost=EK-Preis --map stock=Bestand --map gtin=EAN --map description=Kurztext --map attributes.Gewicht=Gewicht":
    {
      ranBy: "test/node/import-presets.test.ts",
    },
  "npx product-catalog-mcp import": { like: "npx product-catalog-mcp import products.jsonl.gz" },
  "npx product-catalog-mcp import FILE": { like: "npx product-catalog-mcp import products.jsonl.gz" },
  "npx product-catalog-mcp import products.jsonl.gz --remote": ACCOUNT,
  "npx product-catalog-mcp lab sample desk": {
    run: "npx product-catalog-mcp lab sample desk --customers 100",
  },

  "npx product-catalog-mcp lab cards --write": AS_IT_STANDS,
  "npx product-catalog-mcp lab migrations --write": AS_IT_STANDS,
  "npx product-catalog-mcp lab surface": AS_IT_STANDS,
  "npx product-catalog-mcp lab surface --cost": AS_IT_STANDS,
  "npx product-catalog-mcp lab surface --write": AS_IT_STANDS,
  "npm run types": AS_IT_STANDS,
  "npm run format": AS_IT_STANDS,
  "npm run check": { ranBy: ".ci/run" },
  "npx tsc -p tsconfig.json": { notRun: "npm run check runs it" },
  "npx oxlint --type-aware": { notRun: "npm run check runs it" },
  "npx oxfmt --check .": { notRun: "npm run check runs it" },
  "npx vitest run --project state": { run: "npx vitest list --project state" },
  "npm run conformance": { ranBy: ".ci/run" },
  "npm test": { ranBy: ".ci/run" },
  "npm run test:slow": { ranBy: ".ci/run" },
  "bash .ci/run": { notRun: "it is CI" },
  "npm test -- registry labels tools permission surface compatibility": { run: "npm test -- wilson" },
  "npx vitest run --project worker test/worker/cost.test.ts": { ranBy: "test/worker/cost.test.ts" },
  "npx vitest run --project slow test/slow/dashboard": { ranBy: "test/slow/dashboard.browser.test.ts" },
  "npx vitest run --project slow test/slow/upgrade.test.ts": { ranBy: "test/slow/upgrade.test.ts" },
  "npx vitest run --project pictures": { run: "npx vitest list --project pictures" },

  "npx product-catalog-mcp lab faults": { ranBy: "test/slow/faults.test.ts" },
  "npx product-catalog-mcp lab scale": { ranBy: "test/slow/scale.test.ts" },
  "npx product-catalog-mcp lab scale --write": {
    like: "npx product-catalog-mcp lab soak --minutes 60 --write",
  },
  "npx product-catalog-mcp lab fuzz": { run: "npx product-catalog-mcp lab fuzz --requests 200" },
  "npx product-catalog-mcp lab soak": { ranBy: ".ci/run" },
  "npx product-catalog-mcp lab soak --minutes 60 --write": {
    run: "npx product-catalog-mcp lab soak --minutes 0.05 --write",
  },

  "npx product-catalog-mcp lab bench import": {
    run: "npx product-catalog-mcp lab bench import --products 500",
  },
  "npx product-catalog-mcp lab bench import --against ../other": { notRun: "needs another checkout" },
  "npx product-catalog-mcp lab eval-search --products FILE --judgments FILE": {
    run: `npx product-catalog-mcp lab eval-search ${SMALL_CATALOG} --judgments judgments.csv`,
  },
  "npx product-catalog-mcp lab eval-injections --data FILE": {
    run: "npx product-catalog-mcp lab eval-injections --data injections.jsonl",
  },

  "npm run bench": { like: "npm run bench -- --folder .wrangler --starts 2" },
  "npm run bench -- --check": { like: "npm run bench -- --folder .wrangler --starts 2" },
  "npm run bench -- --variants sdk full": { like: "npm run bench -- --far" },
  "npm run bench -- --variants sdk full --rounds 6 --warm-up 2000": { like: "npm run bench -- --far" },
  // At this size and load it is chance whether the targets are met.
  "npm run bench -- --far": {
    run: `${SMALL_BENCH} --far --variants full first --json --check`,
    codes: [0, 1],
  },
  "npm run bench -- --far --d1 100 --object 20 --kv 10": { like: "npm run bench -- --far" },
  "npm run bench -- --products FILE --variants unguarded full mcpagent --starts 1 --rounds 4 --warm-up 2000":
    {
      like: "npm run bench -- --folder .wrangler --starts 2",
    },
  "npm run bench -- --far --starts 1 --rounds 3 --warm-up 3000": { like: "npm run bench -- --far" },
  "npm run bench -- --products FILE": { like: "npm run bench -- --folder .wrangler --starts 2" },
  // Every variant, once: bundling the six takes minutes. At this size it is chance whether the targets are met.
  "npm run bench -- --folder .wrangler --starts 2": {
    run: `${SMALL_BENCH} --folder .wrangler --check`,
    codes: [0, 1],
  },
  "npm run bench -- search": { run: "npm run -s bench -- search --sizes 200 --rounds 1" },
  "npm run bench -- flood": { run: "npm run -s bench -- flood --products 200 --seconds 0.3 --flood tools" },
  "npm run bench -- flood --check": {
    run: "npm run -s bench -- flood --products 200 --seconds 0.3 --flood tools --check",
    codes: [0, 1],
  },

  "npx product-catalog-mcp bundle --url https://YOUR-HOST": {
    run: "npx product-catalog-mcp bundle --url https://catalog.example.com",
  },
  "npx mcpb sign": { notRun: "needs a certificate" },
  "npm run deploy -- --dry-run": AS_IT_STANDS,
  "npm run deploy": ACCOUNT,
  "npx wrangler deploy": { like: "npx wrangler deploy --dry-run --outdir dist" },
  "npx wrangler deploy --dry-run --outdir dist": AS_IT_STANDS,
  "npx wrangler dev": { ranBy: "test/slow/wrangler-dev.test.ts" },
  "npx wrangler login": ACCOUNT,
  "npx wrangler rollback": ACCOUNT,
  "npx wrangler tail": ACCOUNT,
  "npx wrangler d1 export": ACCOUNT,
  "npx wrangler d1 info catalog": ACCOUNT,
  "npx wrangler d1 time-travel info catalog": ACCOUNT,
  "npx wrangler d1 time-travel restore catalog --timestamp 2026-11-24T12:00:00Z": ACCOUNT,
  'npx wrangler d1 execute catalog --remote --json --command "SELECT * FROM users"': ACCOUNT,
  "npx wrangler secret bulk .prod.vars": ACCOUNT,
  "npx wrangler secret put NAME": ACCOUNT,
  "npx wrangler secret put INCIDENT_WEBHOOK_SECRET": ACCOUNT,
  "npx wrangler secret put INCIDENT_WEBHOOK_URL": ACCOUNT,
  "npx wrangler secret put METRICS_TOKEN": ACCOUNT,
  "npx wrangler secret put STOCK_WEBHOOK_SECRET": ACCOUNT,
  "npx wrangler secret put OIDC_CLIENT_SECRET": ACCOUNT,
  "npx wrangler secret put PUBLIC_URL": ACCOUNT,
  "npx wrangler secret put SECRET_KEY": ACCOUNT,
  "npx -y @modelcontextprotocol/inspector --transport http --server-url URL": {
    notRun: "another project's program, which npx would fetch",
  },
};
