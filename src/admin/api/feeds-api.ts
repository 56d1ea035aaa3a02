import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { parseArguments } from "../../validation/arguments.ts";
import { feedObject } from "../../feeds/feed-client.ts";
import { allFeeds, pageOfDeliveries } from "../../feeds/feed-rows.ts";
import { decisionSchema, newFeedSchema, newUploadSchema } from "../../feeds/options.ts";
import type { Outcome } from "../../refusal.ts";
import {
  type Decision,
  type FeedChange,
  addFeed,
  addUpload,
  changeFeed,
  decisionOf,
} from "../feed-writes.ts";
import { type ApiContext, adminOf, answer, body, isoTime } from "./api-request.ts";
import { list } from "./list-page.ts";

/** /admin/api/feeds: files that the server fetches on schedule. /admin/api/deliveries lists what came. */
export const feedsApi = new Hono<AppTypes>();
/** /admin/api/uploads: files that an admin sends in pieces. */
export const uploadsApi = new Hono<AppTypes>();
export const deliveriesApi = new Hono<AppTypes>();

feedsApi.get("/", async (c) => {
  const feeds = await allFeeds(c.env.DB);
  return c.json({
    feeds: feeds.map(({ every_minutes, options, ...feed }) => ({
      ...feed,
      every_minutes: String(every_minutes),
      options,
      created_at: isoTime(feed.created_at),
      paused_at: isoTime(feed.paused_at),
      checked_at: isoTime(feed.checked_at),
      next_at: isoTime(feed.next_at),
    })),
    next: null,
  });
});

feedsApi.post("/", async (c) => {
  const given = parseArguments(newFeedSchema, await body(c));
  if (!given.ok) return answer(c, given.refusal);
  return made(c, await addFeed(c, adminOf(c), given.value));
});
feedsApi.delete("/:id", (c) => change(c, "remove"));

uploadsApi.post("/", async (c) => {
  const given = parseArguments(newUploadSchema, await body(c));
  if (!given.ok) return answer(c, given.refusal);
  return made(c, await addUpload(c, adminOf(c), given.value));
});
uploadsApi.put("/:id/pieces/:n", async (c) => {
  const n = Number(c.req.param("n"));
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  return reply(c, await feedObject(c.env, c.req.param("id")).receive(n, bytes));
});
uploadsApi.post("/:id/pieces/:n/end", async (c) =>
  reply(c, await feedObject(c.env, c.req.param("id")).received(Number(c.req.param("n")))),
);

for (const api of [feedsApi, uploadsApi]) {
  api.get("/:id", async (c) => {
    const status = await feedObject(c.env, c.req.param("id")).status();
    return status.ok ? c.json({ id: c.req.param("id"), ...status.value }) : answer(c, status.refusal);
  });
  for (const each of ["apply", "discard"] as const)
    api.post(`/:id/${each}`, async (c) => {
      const decision = parseArguments(decisionSchema, (await body(c)) ?? {});
      return decision.ok ? change(c, each, decisionOf(decision.value)) : answer(c, decision.refusal);
    });
}
for (const each of ["run", "pause", "resume"] as const) feedsApi.post(`/:id/${each}`, (c) => change(c, each));

deliveriesApi.get("/", (c) =>
  list(c, "deliveries", async (page) => {
    const { rows, next } = await pageOfDeliveries(c.env.DB, { ...page, source: c.req.query("source") });
    return {
      rows: rows.map((row) => ({
        ...row,
        started_at: isoTime(row.started_at),
        ended_at: isoTime(row.ended_at),
      })),
      next,
    };
  }),
);

async function change(c: ApiContext, which: FeedChange, decision?: Decision): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const changed = await changeFeed(c, adminOf(c), id, which, decision);
  return changed.ok ? c.json({ id }) : answer(c, changed.refusal);
}

const made = (c: ApiContext, outcome: Outcome<{ id: string }>): Response =>
  outcome.ok ? c.json(outcome.value, 201) : answer(c, outcome.refusal);

const reply = (c: ApiContext, outcome: Outcome<unknown>): Response =>
  outcome.ok ? c.json({ id: c.req.param("id"), ...Object(outcome.value) }) : answer(c, outcome.refusal);
