import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { secretKeyOf } from "../../../src/setup/secret-key.ts";
import { setupObject } from "../../../src/setup/setup-client.ts";
import { DEPLOYED, ORIGIN, answers, bearer, post, search, send } from "../identity/support/deployed.ts";
import { keyOf } from "../identity/support/people.ts";
import { fill, sample } from "../support/catalog.ts";
import { breaks } from "../support/hanging.ts";

afterEach(() => void vi.restoreAllMocks());

/** Returns the variables of an isolate that has read no key yet. */
function newIsolate() {
  const SERVER_SETUP = new Proxy(env.SERVER_SETUP, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { SERVER_SETUP };
}

const UNSET = { ...DEPLOYED, SECRET_KEY: undefined };

describe("the key that a server makes for itself", () => {
  it("is one key, of 32 random bytes, when many isolates read it first at once", async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => secretKeyOf(newIsolate())));
    expect(new Set(keys).size).toBe(1);
    expect(Buffer.from(keys[0] ?? "", "base64url")).toHaveLength(32);
  });

  it("is the same after the object was evicted, as after a deployment", async () => {
    const before = await secretKeyOf(newIsolate());
    await evictDurableObject(setupObject(env));
    expect(await secretKeyOf(newIsolate())).toBe(before);
  });

  it("is read once per isolate", async () => {
    const isolate = newIsolate();
    const asked = vi.spyOn(env.SERVER_SETUP, "getByName");
    const first = await secretKeyOf(isolate);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(await secretKeyOf(isolate)).toBe(first);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("serves a deployed host that has no SECRET_KEY, or an empty one", async () => {
    await fill(sample);
    const key = await keyOf(["shopper"]);
    for (const settings of [UNSET, { ...DEPLOYED, SECRET_KEY: "" }]) {
      const response = await post(search(), bearer(key), { settings });
      expect(response.status).toBe(200);
      expect(await answers(response)).toMatchObject([{ result: { structuredContent: expect.anything() } }]);
    }
  });

  it("is not asked for while SECRET_KEY is set, even if the object is out of reach", async () => {
    const restore = breaks("SERVER_SETUP", "throws");
    expect((await send("/sign-in")).status).toBe(200);
    expect(await secretKeyOf({ ...newIsolate(), ...DEPLOYED })).toBe(DEPLOYED["SECRET_KEY"]);
    restore();
  });

  it.each(["throws", "hangs"] as const)(
    "refuses the request if the object %s, and invents no key",
    async (how) => {
      const logged = vi.spyOn(console, "error").mockImplementation(() => {});
      const restore = breaks("SERVER_SETUP", how);
      const body = JSON.stringify(search());
      const isolate = newIsolate();
      const response = await send(`${ORIGIN}/mcp`, { method: "POST", body }, { ...UNSET, ...isolate });
      expect(response.status).toBe(503);
      expect(await answers(response)).toMatchObject([
        { error: { data: { code: "unavailable", retryable: true } } },
      ]);
      if (how === "throws") expect(logged.mock.calls.flat().join()).toContain("Network connection lost");
      restore();
      vi.restoreAllMocks();
      expect((await send("/sign-in", {}, { ...UNSET, ...isolate })).status).toBe(200);
    },
  );

  it("is not replaced by a SECRET_KEY that is too short: that is an error", async () => {
    await expect(secretKeyOf({ ...newIsolate(), SECRET_KEY: "x".repeat(31) })).rejects.toThrow("32 bytes");
  });
});
