import { ACCOUNT, AS_IT_STANDS, type Form } from "./form.ts";

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

/** Commands that use the server of `npm run dev`, and what they leave behind for each other. */
export const SERVING: Record<string, Form> = {
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
  'npx product-catalog-mcp import woocommerce-german.csv --currency EUR --set "url=https://kuechenhof.example/?p={ID}"':
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
};
