import type { AppContext } from "../app-types.ts";
import { feedObject, newId } from "../feeds/feed-client.ts";
import { deleteFeed } from "../feeds/feed-rows.ts";
import { shownUrl } from "../feeds/feed-url.ts";
import type { DeliveryOptions, decisionSchema, newFeedSchema, newUploadSchema } from "../feeds/options.ts";
import type { Principal } from "../identity/principal.ts";
import { type Outcome, ok } from "../refusal.ts";
import type * as z from "zod";
import { countWrite } from "./admin-writes.ts";

// Changes that an admin makes to feeds and uploads, by the API or on the dashboard. Every change is in the admin's own audit.

/** Adds a feed, which is fetched at once. */
export async function addFeed(
  c: AppContext,
  admin: Principal,
  { url: text, every_minutes: everyMinutes, ...options }: z.output<typeof newFeedSchema>,
): Promise<Outcome<{ id: string }>> {
  const id = newId();
  const name = shownUrl(new URL(text));
  const refused = await countWrite(c, admin, { gives: "feeds.add" }, { feed: id });
  if (refused !== undefined) return { ok: false, refusal: refused };
  const made = await feedObject(c.env, id).create({
    id,
    kind: "feed",
    name,
    url: text,
    options,
    everyMinutes,
    createdBy: admin.id,
  });
  return made.ok ? ok({ id }) : made;
}

/** Begins an upload; its pieces follow. */
export async function addUpload(
  c: AppContext,
  admin: Principal,
  { name, ...options }: z.output<typeof newUploadSchema>,
): Promise<Outcome<{ id: string }>> {
  const id = newId();
  const refused = await countWrite(c, admin, { gives: "uploads.add" }, { upload: id });
  if (refused !== undefined) return { ok: false, refusal: refused };
  await feedObject(c.env, id).create({
    id,
    kind: "upload",
    name,
    url: null,
    options,
    everyMinutes: 0,
    createdBy: admin.id,
  });
  return ok({ id });
}

/** Divides what a form or a request says into the delivery and the choice. */
export const decisionOf = ({ delivery, ...choice }: z.output<typeof decisionSchema>): Decision => ({
  delivery,
  choice: Object.keys(choice).length === 0 ? null : choice,
});

/** The changes of a feed or an upload that need no more than its id. */
export type FeedChange = "run" | "pause" | "resume" | "remove" | "apply" | "discard";

const WRITES = {
  run: { gives: "feeds.run" },
  resume: { gives: "feeds.resume" },
  apply: { gives: "deliveries.apply" },
  pause: { takes: "feeds.pause" },
  remove: { takes: "feeds.remove" },
  discard: { takes: "deliveries.discard" },
} as const;

/** The delivery that a person has seen, and the choice that it asks for; null if it asks for none. */
export interface Decision {
  delivery: string;
  choice: Partial<DeliveryOptions> | null;
}

/** Changes a feed or an upload. `apply` and `discard` take a decision, and refuse if another delivery waits by now. */
export async function changeFeed(
  c: AppContext,
  admin: Principal,
  id: string,
  change: FeedChange,
  { delivery, choice }: Decision = { delivery: "", choice: null },
): Promise<Outcome<null>> {
  const feed = feedObject(c.env, id);
  const known = await feed.status();
  // A row may be left of a feed that D1 listed without an answer.
  const isRow = change === "remove" && !known.ok && (await deleteFeed(c.env.DB, id).run()).meta.changes > 0;
  if (!known.ok && !isRow) return known;
  const refused = await countWrite(c, admin, WRITES[change], { feed: id });
  if (refused !== undefined) return { ok: false, refusal: refused };
  if (change === "remove") {
    await feed.remove();
    return ok(null);
  }
  if (change === "run") return feed.run();
  if (change === "discard") return feed.discard(admin.id, delivery);
  if (change === "apply") return feed.approve(admin.id, delivery, choice);
  return change === "pause" ? feed.pause() : feed.resume(admin.id);
}
