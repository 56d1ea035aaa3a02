import { describe, expect, it } from "vitest";
import { newUserSchema } from "../../../src/identity/administration.ts";
import { looksLikeKey } from "../../../src/identity/secrets.ts";
import { send } from "../support/clients.ts";

const ORIGIN = "http://127.0.0.1";
const LONG = "a".repeat(600);
const form = (body: string, type = "application/x-www-form-urlencoded") => ({
  method: "POST",
  headers: { "content-type": type, origin: ORIGIN },
  body,
});

describe("malformed requests are refused without an exception:", () => {
  it.each([
    ["a client id too long for the store", `/authorize?response_type=code&client_id=${LONG}`, {}],
    [
      "a code too long for it",
      "/oauth/token",
      form(`grant_type=authorization_code&client_id=x&code=a:${LONG}:c`),
    ],
    [
      "a refresh token too long for it",
      "/oauth/token",
      form(`grant_type=refresh_token&client_id=x&refresh_token=a:${LONG}:c`),
    ],
    ["a sign-in form without a boundary", "/sign-in", form("x", "multipart/form-data")],
    [
      "a sign-in form of another charset",
      "/sign-in",
      form("key=x", "application/x-www-form-urlencoded; charset=foo"),
    ],
    ["a consent request that is not a form", "/authorize", form("x", "multipart/form-data")],
    [
      "a bearer token too long for the store",
      "/mcp",
      { ...form("{}"), headers: { authorization: `Bearer ${LONG}:b:c` } },
    ],
  ])("%s", async (_, path, init) => {
    const { status } = await send(path, init);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

it("rejects a registration larger than a client needs", async () => {
  const body = JSON.stringify({
    client_name: "x".repeat(20_000),
    redirect_uris: ["https://client.example/cb"],
  });
  const response = await send("/oauth/register", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  expect(response.status).toBe(413);
});

it.each(["anon-abc", "local", "sign-on", "Principal", "a:b", "", "x".repeat(65)])(
  "takes no user of the id '%s'",
  (id) => {
    expect(newUserSchema.safeParse({ id, name: "N", roles: ["shopper"] }).success).toBe(false);
  },
);

it("shows no invisible character of a user's name", () => {
  const user = newUserSchema.parse({ id: "u", name: "A\u202e\u001b[31mB", roles: ["shopper"] });
  expect(user.name).toBe("AB");
});

it("accepts the OAuth token of a user called pcm_bot as such", () => {
  expect(looksLikeKey("pcm_bot:grant:secret")).toBe(false);
});
