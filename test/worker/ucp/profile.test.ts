import { beforeAll, beforeEach, expect, it } from "vitest";
import { publicUrl } from "../../../src/validation/public-url.ts";
import { fill, keyboard, sample } from "../support/catalog.ts";
import { type Publish, WHOLE, askUcp, expectToFit, profileOf, publishProfiles } from "./support.ts";

let publish: Publish;
let fetched: string[];
publishProfiles((request) => {
  fetched.push(request.url);
  return publish(request);
});
beforeAll(() => fill(sample));
beforeEach(() => {
  fetched = [];
  publish = () => Response.json(WHOLE);
});

/** Each agent is new, because profiles are kept. */
const newProfile = () => `https://agent-${crypto.randomUUID()}.example/profile.json`;
const askAs = (profile: string) =>
  askUcp("get_product", { id: keyboard.sku }, {}, { "ucp-agent": { profile } });

it("fetches a profile once, and echoes the version and the capability of the tool", async () => {
  const profile = newProfile();
  for (let calls = 0; calls < 3; calls++)
    expect((await askAs(profile)).value).toMatchObject({
      ucp: { version: "2026-08-25", capabilities: { "dev.ucp.shopping.catalog.lookup": [{}] } },
    });
  expect(fetched).toEqual([profile]);
});

it("tells an agent without the capability so, in its answer", async () => {
  publish = () => Response.json(profileOf("2026-08-25", ["dev.ucp.shopping.catalog.search"]));
  const { value } = await askAs(newProfile());
  await expectToFit([{ schema: "common/types/error_response.json", value }]);
  expect(value).toMatchObject({ messages: [{ code: "capabilities_incompatible" }] });
});

it.each<[string, Publish, { code: string; status: number; retryable: boolean }]>([
  [
    "is redirected",
    () => new Response(null, { status: 302, headers: { location: "https://other.example/" } }),
    { code: "profile_unreachable", status: 424, retryable: true },
  ],
  [
    "is missing",
    () => new Response("", { status: 404 }),
    { code: "profile_unreachable", status: 424, retryable: true },
  ],
  [
    "cannot be reached",
    () => Promise.reject(new TypeError("no connection")),
    { code: "profile_unreachable", status: 424, retryable: true },
  ],
  ["is no JSON", () => new Response("{"), { code: "profile_malformed", status: 422, retryable: false }],
  [
    "is too large",
    () => Response.json({ ...WHOLE, padding: "x".repeat(140_000) }),
    { code: "profile_malformed", status: 422, retryable: false },
  ],
  [
    "has another version",
    () => Response.json(profileOf("2026-04-08", ["dev.ucp.shopping.catalog.lookup"])),
    { code: "version_unsupported", status: 422, retryable: false },
  ],
])("refuses an agent whose profile %s, and does not fetch it again at once", async (_, answer, expected) => {
  publish = answer;
  const profile = newProfile();
  for (let calls = 0; calls < 2; calls++) {
    const { error, response } = await askAs(profile);
    expect(error).toMatchObject({
      code: -32001,
      data: { code: expected.code, retryable: expected.retryable },
    });
    expect(response.status).toBe(expected.status);
  }
  expect(fetched).toEqual([profile]);
});

it.each([
  "http://agent.example/p",
  "https://127.0.0.1/p",
  "https://2130706433/p",
  "https://0x7f.1/p",
  "https://169.254.169.254/latest",
  "https://[::1]/p",
  "https://localhost/p",
  "https://a.localhost./p",
  "https://printer.local/p",
  "https://metadata.google.internal/p",
  "https://intranet/p",
  "https://agent.example:8443/p",
  "https://user:secret@agent.example/p",
  "data:application/json,{}",
  "/p",
])("does not fetch %s", async (profile) => {
  expect(publicUrl(profile)).toBeUndefined();
  const { error } = await askAs(profile);
  expect(error?.data.code).toBe("invalid_profile_url");
  expect(fetched).toEqual([]);
});

it("takes its own profile for an agent's without a fetch", async () => {
  const { value } = await askAs("http://127.0.0.1/.well-known/ucp");
  expect(value).toHaveProperty("product");
  expect(fetched).toEqual([]);
});
