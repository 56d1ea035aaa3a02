import { describe, expect, it } from "vitest";
import { DEPLOYED, ORIGIN, bearer, post, search, send } from "./support/deployed.ts";
import { keyOf } from "./support/people.ts";

const paths = [
  "/",
  "/mcp",
  "/mcp/public",
  "/.well-known/oauth-protected-resource/mcp",
  "/.well-known/oauth-authorization-server",
  "/oauth/register",
  "/oauth/token",
  "/authorize",
  "/sign-in",
  "/sign-in.css",
  "/admin/api/users",
  "/nowhere",
];

const bad = [
  { what: "missing", SECRET_KEY: undefined },
  { what: "empty", SECRET_KEY: "" },
  { what: "of 31 bytes", SECRET_KEY: "x".repeat(31) },
];

describe.each(bad)("a deployed host whose SECRET_KEY is $what", ({ SECRET_KEY }) => {
  const settings = { ...DEPLOYED, SECRET_KEY, PUBLIC_CATALOG: "on", LOCAL_ANONYMOUS: "on" };

  it.each(paths)("answers %s with 503 and the name of what is missing", async (path) => {
    const response = await send(path, {}, settings);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("SECRET_KEY");
  });

  it("serves no good key", async () => {
    const response = await post(search(), bearer(await keyOf(["shopper"])), { settings });
    expect(response.status).toBe(503);
  });
});

describe("SECRET_KEY is needed", () => {
  it.each([
    { url: ORIGIN, why: "under workers.dev", settings: {} },
    {
      url: ORIGIN,
      why: "under workers.dev beside a PUBLIC_URL elsewhere",
      settings: { PUBLIC_URL: "https://catalog.example.com" },
    },
    {
      url: ORIGIN,
      why: "under workers.dev beside a PUBLIC_URL that is local",
      settings: { PUBLIC_URL: "http://127.0.0.1:8787" },
    },
    {
      url: "https://catalog.example.com",
      why: "under a domain of one's own",
      settings: { PUBLIC_URL: "https://catalog.example.com" },
    },
    {
      url: "https://other.example.com",
      why: "under an allowed host",
      settings: { ALLOWED_HOSTS: "other.example.com" },
    },
    {
      url: "http://127.0.0.1:8787",
      why: "behind a proxy on this machine, with a PUBLIC_URL elsewhere",
      settings: { PUBLIC_URL: "https://catalog.example.com" },
    },
  ])("$why", async ({ url, settings }) => {
    const response = await send(`${url}/.well-known/oauth-protected-resource/mcp`, {}, settings);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("SECRET_KEY");
  });
});

it("SECRET_KEY of 32 bytes is enough", async () => {
  const settings = { ...DEPLOYED, SECRET_KEY: "x".repeat(32) };
  expect((await send("/.well-known/oauth-protected-resource/mcp", {}, settings)).status).toBe(200);
});

it("SECRET_KEY is not needed on this machine", async () => {
  expect((await send("http://127.0.0.1:8787/sign-in", {}, {})).status).toBe(200);
});
