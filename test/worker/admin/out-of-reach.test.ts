import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { signedIn } from "../identity/support/browser.ts";
import { DEPLOYED, ORIGIN, send } from "../identity/support/deployed.ts";
import { keyOf, newUser } from "../identity/support/people.ts";
import { failing } from "../support/failing-callers.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

it("a caller's page answers with an error page if the object can't be reached", async () => {
  const admin = await signedIn(await keyOf(["admin"]));
  const user = await newUser(["shopper"]);
  const overloaded = Object.assign(new Error("Durable Object is overloaded."), { overloaded: true });
  const { callers, stubs } = failing("overview", () => Promise.reject(overloaded));
  const ctx = createExecutionContext();
  const cookie = [...admin.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const request = new Request(`${ORIGIN}/admin/callers/${user}`, {
    headers: { ...BROWSER, cookie, host: new URL(ORIGIN).host },
  });
  const response = await app.fetch(request, { ...env, ctx, ...DEPLOYED, USER_WINDOWS: callers }, ctx);
  await waitOnExecutionContext(ctx);
  expect(stubs).toEqual([user]);
  expect(response.status).toBe(503);
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  const html = await response.text();
  expect(html).toContain(response.headers.get("x-request-id"));
  expect(html).not.toContain("overloaded");
});

it.each([
  ["a browser", BROWSER, /^text\/html/],
  ["a program", { accept: "application/json" }, /^application\/json/],
])("refuses a request of another site in the format of %s", async (_, headers, type) => {
  const response = await send("/account", { headers: { ...headers, origin: "https://evil.example" } });
  expect(response.status).toBe(403);
  expect(response.headers.get("content-type")).toMatch(type);
});
