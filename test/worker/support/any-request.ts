import fc from "fast-check";
import { prompts } from "../../../src/prompts/registry.ts";
import { tools } from "../../../src/tools/registry.ts";
import { modern } from "./modern.ts";
import { anyCharacter } from "../../any-character.ts";

const METHODS = [
  "tools/call",
  "tools/list",
  "resources/read",
  "resources/list",
  "resources/templates/list",
  "prompts/get",
  "prompts/list",
  "completion/complete",
  "initialize",
  "server/discover",
  "ping",
  "subscriptions/listen",
  "logging/setLevel",
  "notifications/initialized",
  "notifications/cancelled",
  "notifications/progress",
];
const NAMES = [
  ...tools.map((tool) => tool.definition.name),
  ...prompts.map((prompt) => prompt.definition.name),
  "__proto__",
  "constructor",
  "",
  "?",
];
const URIS = [
  "catalog://products/summary",
  "catalog://categories",
  "catalog://products/SKU-10001",
  "catalog://products/%E0%A4",
  "catalog://products/{sku}",
  "data://customers/summary",
  "file:///etc/passwd",
  "",
];

const text = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "SKU-10001",
      "keyboard",
      "' OR 1=1 --",
      '"',
      "\u0000",
      "\ud800",
      "x".repeat(3_000),
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: anyCharacter, maxLength: 40 }) },
);
const anything = fc.anything({ maxDepth: 3, maxKeys: 4, withNullPrototype: false });
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom({ length: { toString: true } }, { length: { valueOf: 1 }, size: { toString: "" } }),
);
const argumentsOf = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(
      fc.constantFrom(
        "query",
        "sku",
        "skus",
        "cursor",
        "limit",
        "need",
        "category",
        "__proto__",
        "customer_id",
        "ticket_id",
      ),
      fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
      { maxKeys: 4 },
    ),
  },
  { weight: 1, arbitrary: anything },
);
const reference = fc.oneof(
  fc.record({ type: fc.constant("ref/prompt"), name: fc.constantFrom(...NAMES) }),
  fc.record({ type: fc.constant("ref/resource"), uri: fc.constantFrom(...URIS) }),
  anything,
);
const meta = fc.oneof(
  fc.dictionary(
    fc.constantFrom(
      "progressToken",
      "io.modelcontextprotocol/protocolVersion",
      "io.modelcontextprotocol/clientInfo",
      "io.modelcontextprotocol/clientCapabilities",
    ),
    anything,
    { maxKeys: 3 },
  ),
  anything,
);
const params = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        name: fc.oneof(fc.constantFrom(...NAMES), text, anything),
        arguments: argumentsOf,
        uri: fc.oneof(fc.constantFrom(...URIS), text),
        ref: reference,
        argument: fc.oneof(fc.record({ name: text, value: text }), anything),
        cursor: scalar,
        requestId: scalar,
        protocolVersion: fc.constantFrom("2025-11-25", "2026-07-28", "1", 7),
        capabilities: fc.oneof(fc.constant({}), anything),
        clientInfo: fc.oneof(fc.constant({ name: "fuzz", version: "1" }), anything),
        inputResponses: anything,
        requestState: scalar,
        _meta: meta,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: anything },
);
/** A method with its own params, to get past the envelope; or with arbitrary ones. */
const asked = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant("tools/call"),
      fc.record({ name: fc.constantFrom(...NAMES), arguments: argumentsOf }),
    ),
  },
  fc.tuple(fc.constant("resources/read"), fc.record({ uri: fc.oneof(fc.constantFrom(...URIS), text) })),
  fc.tuple(
    fc.constant("prompts/get"),
    fc.record({
      name: fc.constantFrom(...NAMES),
      arguments: fc.dictionary(fc.constantFrom("need", "skus"), text),
    }),
  ),
  fc.tuple(
    fc.constant("completion/complete"),
    fc.record({
      ref: reference,
      argument: fc.record({ name: fc.constantFrom("sku", "skus", "category", "x"), value: text }),
    }),
  ),
  fc.tuple(
    fc.constantFrom(...METHODS),
    params.map((value) => ({ ...Object(value), _meta: undefined })),
  ),
);
/** A request that the endpoint accepts, or a notification. */
const whole = fc
  .tuple(
    asked,
    fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 5 }) }, { weight: 1, arbitrary: fc.constant(undefined) }),
  )
  .map(([[method, given], id]) => ({ jsonrpc: "2.0", id, method, params: given }));
const part = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 6, arbitrary: fc.constant("2.0") }, { weight: 1, arbitrary: scalar }),
    id: fc.oneof(fc.nat({ max: 5 }), scalar),
    method: fc.oneof(fc.constantFrom(...METHODS), scalar),
    params,
    result: anything,
    error: anything,
  },
  { requiredKeys: ["jsonrpc"] },
);
const message = fc.oneof({ weight: 3, arbitrary: whole }, { weight: 1, arbitrary: part });
const json = (value: unknown): string => JSON.stringify(value);
const body = fc.oneof(
  { weight: 6, arbitrary: message.map(json) },
  { weight: 2, arbitrary: fc.array(message, { maxLength: 5 }).map(json) },
  { weight: 1, arbitrary: anything.map(json) },
  // Cut off, or with one byte replaced.
  {
    weight: 1,
    arbitrary: fc.tuple(message, fc.nat(), text).map(([value, at, put]) => {
      const sent = json(value);
      const cut = at % sent.length;
      return sent.slice(0, cut) + put + sent.slice(cut + (at % 3));
    }),
  },
);
const oddHeader = fc.constantFrom(
  { accept: "application/json" },
  { accept: "" },
  { "content-type": "text/plain" },
  { "content-type": "application/json; charset=utf-16" },
  { "mcp-protocol-version": "2024-11-05" },
  { "mcp-protocol-version": "2026-07-28" },
  { "mcp-protocol-version": "x" },
  { "mcp-method": "tools/call" },
  { "mcp-session-id": "../.." },
  { "last-event-id": "0" },
  { "user-agent": "x".repeat(500) },
  { origin: "https://evil.example" },
  { origin: "http://localhost:1" },
);
const legacy = fc.record({
  body,
  headers: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: oddHeader }),
});
/** Headers that repeat the body, as 2026-07-28 requires, with another error. */
const fresh = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: asked },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...METHODS), params) },
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.constantFrom({ "mcp-name": "x" }, { "mcp-method": "" }, { "mcp-method": "ping" }),
      },
    ),
  )
  .map(([[method, given], wrong]) => {
    const sent = modern(method, Object(given));
    return { body: json(sent.body), headers: { ...sent.headers, ...wrong } };
  });
/** Anything that could be posted to the endpoint: near-valid and garbage, of both eras and in batches. */
export const anyRequest = fc.oneof({ weight: 2, arbitrary: legacy }, { weight: 1, arbitrary: fresh });
