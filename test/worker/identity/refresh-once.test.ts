import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { CallerClient } from "../../../src/caller/caller-client.ts";
import { Unreachable } from "../../../src/unreachable.ts";
import { hashSecret } from "../../../src/identity/secrets.ts";
import { fill, sample } from "../support/catalog.ts";
import { recordsOf } from "../support/caller.ts";
import { bearer, form, post, search, send } from "./support/deployed.ts";
import {
  type Flow,
  REDIRECT,
  codeFor,
  errorOf,
  exchange,
  granted,
  newFlow,
  refresh,
  token,
  tokensOf,
} from "./support/oauth-client.ts";

const confidentialSchema = z.object({ client_id: z.string(), client_secret: z.string() });

beforeAll(() => fill(sample));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const SECOND = 1_000;
const later = (ms: number) => {
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  vi.setSystemTime(Date.now() + ms);
};
const statusWith = async (accessToken: string) => (await post(search(), bearer(accessToken))).status;
const objectOf = (user: string) => env.USER_WINDOWS.getByName(user);

/** Returns the changes that a user's audit holds about refresh tokens. */
const notedOf = async (user: string) =>
  (await recordsOf(objectOf(user))).flatMap((record) =>
    record.kind === "change" && record.change.startsWith("refresh_") ? [record] : [],
  );

describe("two uses of a refresh token within 30 seconds", () => {
  it("at once get the same tokens, and both processes stay signed in", async () => {
    const { user, flow, tokens } = await granted();
    const answers = await Promise.all(
      Array.from({ length: 4 }, async () => tokensOf(await refresh(flow, tokens.refresh_token))),
    );
    expect(new Set(answers.map((each) => each.refresh_token)).size).toBe(1);
    expect(new Set(answers.map((each) => each.access_token)).size).toBe(1);
    for (const { access_token } of answers) expect(await statusWith(access_token)).toBe(200);
    const next = await refresh(flow, answers[3]?.refresh_token ?? "");
    expect(next.status).toBe(200);
    expect(await notedOf(user)).toEqual(
      Array.from({ length: 3 }, () =>
        expect.objectContaining({ change: "refresh_repeated", by: user, client: flow.clientId }),
      ),
    );
  });

  it("one after the other get the same tokens, and the second hears how long they are still good", async () => {
    const { flow, tokens } = await granted();
    later(0);
    const first = await tokensOf(await refresh(flow, tokens.refresh_token));
    later(29 * SECOND);
    const second = await tokensOf(await refresh(flow, tokens.refresh_token));
    expect(second).toEqual({ ...first, expires_in: first.expires_in - 29 });
  });

  it("give the same tokens after the first answer was lost", async () => {
    const { flow, tokens } = await granted();
    await refresh(flow, tokens.refresh_token);
    const again = await tokensOf(await refresh(flow, tokens.refresh_token));
    expect(await statusWith(again.access_token)).toBe(200);
    expect((await refresh(flow, again.refresh_token)).status).toBe(200);
  });

  it("by a client that authenticates need the secret both times", async () => {
    const metadata = { token_endpoint_auth_method: "client_secret_post" };
    const registered = await send("/oauth/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: "Confidential",
        redirect_uris: ["https://client.example/callback"],
        ...metadata,
      }),
    });
    const { client_id, client_secret } = confidentialSchema.parse(await registered.json());
    const { browser } = await granted();
    const base = await newFlow();
    const flow: Flow = { ...base, clientId: client_id, query: { ...base.query, client_id } };
    const code = await codeFor(browser, flow);
    const tokens = await tokensOf(
      await token({
        grant_type: "authorization_code",
        client_id,
        client_secret,
        code,
        redirect_uri: REDIRECT,
        code_verifier: flow.verifier,
      }),
    );
    const fields = { grant_type: "refresh_token", client_id, refresh_token: tokens.refresh_token };
    const first = await tokensOf(await token({ ...fields, client_secret }));
    expect(await errorOf(await token(fields))).toBe("invalid_client");
    expect(await errorOf(await token({ ...fields, client_secret: "wrong" }))).toBe("invalid_client");
    expect((await tokensOf(await token({ ...fields, client_secret }))).refresh_token).toBe(
      first.refresh_token,
    );
    later(40 * SECOND);
    // Nobody ends a grant without the client's secret.
    expect(await errorOf(await token({ ...fields, client_secret: "wrong" }))).toBe("invalid_client");
    expect((await token({ ...fields, client_secret, refresh_token: first.refresh_token })).status).toBe(200);
  });
});

describe("a refresh token that is used again", () => {
  it("after 30 seconds ends the grant with all its tokens, and the audit says so", async () => {
    const { user, flow, tokens } = await granted();
    const first = await tokensOf(await refresh(flow, tokens.refresh_token));
    later(31 * SECOND);
    const response = await refresh(flow, tokens.refresh_token);
    expect(response.status).toBe(400);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await errorOf(response)).toBe("invalid_grant");
    expect(await statusWith(first.access_token)).toBe(401);
    expect(await errorOf(await refresh(flow, first.refresh_token))).toBe("invalid_grant");
    expect(await notedOf(user)).toEqual([
      expect.objectContaining({ change: "refresh_replayed", by: user, client: flow.clientId }),
    ]);
  });

  it("after several more refreshes ends the grant too", async () => {
    const { flow, tokens } = await granted();
    let newest = tokens;
    for (let hour = 0; hour < 3; hour += 1) {
      later(3_600 * SECOND);
      newest = await tokensOf(await refresh(flow, newest.refresh_token));
    }
    expect(await errorOf(await refresh(flow, tokens.refresh_token))).toBe("invalid_grant");
    expect(await statusWith(newest.access_token)).toBe(401);
  });

  it("with its resource named twice is not overlooked", async () => {
    const { flow, tokens } = await granted();
    const first = await tokensOf(await refresh(flow, tokens.refresh_token));
    later(31 * SECOND);
    const resource = flow.query["resource"] ?? "";
    const fields: [string, string][] = [
      ["grant_type", "refresh_token"],
      ["client_id", flow.clientId],
      ["refresh_token", tokens.refresh_token],
      ["resource", resource],
      ["resource", resource],
    ];
    expect(await errorOf(await send("/oauth/token", form(fields)))).toBe("invalid_grant");
    expect(await statusWith(first.access_token)).toBe(401);
  });

  it("is recorded once, however often it is sent", async () => {
    const { user, flow, tokens } = await granted();
    await refresh(flow, tokens.refresh_token);
    later(31 * SECOND);
    for (let time = 0; time < 3; time += 1)
      expect(await errorOf(await refresh(flow, tokens.refresh_token))).toBe("invalid_grant");
    expect(await notedOf(user)).toHaveLength(1);
  });

  it("by another client gets no tokens and ends nothing, early or late", async () => {
    const { user, flow, tokens } = await granted();
    const first = await tokensOf(await refresh(flow, tokens.refresh_token));
    const other = await newFlow();
    expect(await errorOf(await refresh(other, tokens.refresh_token))).toBe("invalid_grant");
    later(31 * SECOND);
    expect(await errorOf(await refresh(other, tokens.refresh_token))).toBe("invalid_grant");
    expect(await statusWith(first.access_token)).toBe(200);
    expect((await refresh(flow, first.refresh_token)).status).toBe(200);
    expect(await notedOf(user)).toEqual([]);
  });

  it("of another client's grant at the same moment gets no tokens", async () => {
    const { flow, tokens } = await granted();
    const other = await newFlow();
    const [stolen, own] = await Promise.all([
      refresh(other, tokens.refresh_token),
      refresh(flow, tokens.refresh_token),
    ]);
    expect(await errorOf(stolen)).toBe("invalid_grant");
    expect(own.status).toBe(200);
  });

  it("ends only its own grant", async () => {
    const { browser, flow, tokens } = await granted();
    const second = await newFlow();
    const others = await tokensOf(await exchange(second, await codeFor(browser, second)));
    await refresh(flow, tokens.refresh_token);
    later(31 * SECOND);
    await refresh(flow, tokens.refresh_token);
    expect(await statusWith(others.access_token)).toBe(200);
    expect((await refresh(second, others.refresh_token)).status).toBe(200);
  });
});

describe("an exchange", () => {
  it("that the library refuses can be tried again", async () => {
    const { flow, tokens } = await granted();
    const fields = {
      grant_type: "refresh_token",
      client_id: flow.clientId,
      refresh_token: tokens.refresh_token,
    };
    expect(await errorOf(await token({ ...fields, resource: "https://evil.example/mcp" }))).toBe(
      "invalid_target",
    );
    expect((await token(fields)).status).toBe(200);
  });

  it("with a made-up token makes no object", async () => {
    const flow = await newFlow();
    const asked = vi.spyOn(env.USER_WINDOWS, "getByName");
    expect(await errorOf(await refresh(flow, "nobody:grant:secret"))).toBe("invalid_grant");
    expect(asked.mock.calls.flat()).not.toContain("nobody");
  });

  it("leaves nothing in storage that the database alone could open, and nothing sealed after 30 seconds", async () => {
    const { user, flow, tokens } = await granted();
    const first = await tokensOf(await refresh(flow, tokens.refresh_token));
    const stored = () =>
      runInDurableObject(objectOf(user), (_, { storage }) =>
        storage.sql.exec<{ token: string; answer: string | null }>("SELECT * FROM refreshes").toArray(),
      );
    const [row] = await stored();
    expect(row?.token).toBe(hashSecret(tokens.refresh_token));
    expect(JSON.stringify(row)).not.toContain(first.refresh_token);
    expect(row?.answer).not.toBeNull();
    later(31 * SECOND);
    await runDurableObjectAlarm(objectOf(user));
    expect((await stored())[0]?.answer).toBeNull();
  });

  it("answers 503 without the user's object, and spends nothing", async () => {
    const { flow, tokens } = await granted();
    vi.spyOn(CallerClient.prototype, "beginRefresh").mockRejectedValueOnce(new Unreachable("gone"));
    expect((await refresh(flow, tokens.refresh_token)).status).toBe(503);
    expect((await refresh(flow, tokens.refresh_token)).status).toBe(200);
  });

  it("still gives the tokens if the object can't record them", async () => {
    const { flow, tokens } = await granted();
    vi.spyOn(CallerClient.prototype, "endRefresh").mockRejectedValueOnce(new Error("gone"));
    expect((await refresh(flow, tokens.refresh_token)).status).toBe(200);
  });
});
