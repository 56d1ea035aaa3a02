import { Hono } from "hono/tiny";
import { type FeedChange, addFeed, addUpload, changeFeed, decisionOf } from "../../../admin/feed-writes.ts";
import type { AppContext, AppTypes } from "../../../app-types.ts";
import { feedObject } from "../../../feeds/feed-client.ts";
import { allFeeds, pageOfDeliveries } from "../../../feeds/feed-rows.ts";
import { decisionSchema, newFeedSchema, newUploadSchema } from "../../../feeds/options.ts";
import { mebibytesMax } from "../../../feeds/stored-bytes.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { type Refusal } from "../../../refusal.ts";
import { refusals } from "../../../refusal-codes.ts";
import { parseArguments } from "../../../validation/arguments.ts";
import { readForm, textOf } from "../../layout/form-guards.ts";
import { notFoundPage } from "../admin-page.tsx";
import { NOT_SENT, checkForm, listOf, problemsOf } from "../form-values.ts";
import { refusalWords } from "../refusal-words.ts";
import { feedPage } from "../feeds/feed-page.tsx";
import { feedsPage } from "../feeds/feeds-page.tsx";
import { FEEDS, feedPath } from "../feeds/paths.ts";
import { CATALOG } from "../catalog/paths.ts";
import { asAdmin } from "../page-guard.tsx";
import { principalOf } from "./decider.ts";
import { DONE_MESSAGES } from "./done-messages.ts";
import { PAGE_SIZE, afterOf } from "./list-position.ts";

/** Feeds, and files that an admin sends. Every change is counted and recorded as the admin API does. */
export const feedRoutes = new Hono<AppTypes>();

const CHANGES = ["run", "pause", "resume", "remove", "apply", "discard"] as const;
const isChange = (text: string): text is FeedChange => CHANGES.some((each) => each === text);

feedRoutes.get(
  FEEDS,
  asAdmin((c, admin) => showFeeds(c, admin)),
);

feedRoutes.post(
  FEEDS,
  asAdmin(async (c, admin) => {
    const form = await readForm(c);
    const choices = listOf(form, "choices");
    const checked = checkForm(newFeedSchema, {
      url: textOf(form, "url"),
      every_minutes: Number(textOf(form, "every_minutes")),
      ...filled(form, ["from", "currency"]),
      remove_missing: choices.includes("remove_missing"),
      quarantine: choices.includes("quarantine"),
    });
    if ("problems" in checked) return showFeeds(c, admin, { form, ...checked });
    const added = await addFeed(c, principalOf(admin), checked.value);
    return added.ok
      ? c.redirect(`${feedPath(added.value.id)}?done=feed-added`, 303)
      : showFeeds(c, admin, { form, problems: problemsOf(added.refusal) });
  }),
);

// The script of the page sends a file with these (public/assets/upload.js).
feedRoutes.post(
  `${FEEDS}/uploads`,
  asAdmin(async (c, admin) => {
    const given = parseArguments(newUploadSchema, await c.req.json<unknown>().catch(() => null));
    if (!given.ok) return refused(c, given.refusal);
    const made = await addUpload(c, principalOf(admin), given.value);
    if (!made.ok) return refused(c, made.refusal);
    return data(c, { id: made.value.id, page: feedPath(made.value.id) });
  }),
);
feedRoutes.post(
  `${FEEDS}/uploads/:id/:n`,
  asAdmin(async (c) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const stored = await feedObject(c.env, c.req.param("id") ?? "").receive(Number(c.req.param("n")), bytes);
    return stored.ok ? data(c, stored.value) : refused(c, stored.refusal);
  }),
);
feedRoutes.post(
  `${FEEDS}/uploads/:id/:n/end`,
  asAdmin(async (c) => {
    const ended = await feedObject(c.env, c.req.param("id") ?? "").received(Number(c.req.param("n")));
    return ended.ok ? data(c, {}) : refused(c, ended.refusal);
  }),
);

feedRoutes.get(
  `${FEEDS}/:id`,
  asAdmin((c, admin) => showFeed(c, admin)),
);

feedRoutes.post(
  `${FEEDS}/:id/:change`,
  asAdmin(async (c, admin) => {
    const [id = "", change = ""] = [c.req.param("id"), c.req.param("change")];
    if (!isChange(change)) return notFoundPage(admin, CATALOG);
    const form = filled(await readForm(c), ["delivery", "prices", "decimal", "currency"]);
    const decision =
      change === "apply" || change === "discard" ? parseArguments(decisionSchema, form) : undefined;
    if (decision?.ok === false) return showFeed(c, admin, decision.refusal);
    const decided = decision && decisionOf(decision.value);
    const changed = await changeFeed(c, principalOf(admin), id, change, decided);
    if (!changed.ok && changed.refusal.code === "not_found") return notFoundPage(admin, CATALOG);
    if (!changed.ok) return showFeed(c, admin, changed.refusal);
    return c.redirect(`${change === "remove" ? FEEDS : feedPath(id)}?done=feed-${change}`, 303);
  }),
);

async function showFeeds(c: AppContext, admin: SignedIn, sent = NOT_SENT): Promise<Response> {
  const [feeds, deliveries] = await Promise.all([
    allFeeds(c.env.DB),
    pageOfDeliveries(c.env.DB, { after: afterOf(c), size: PAGE_SIZE }),
  ]);
  return feedsPage({
    admin,
    feeds,
    deliveries,
    cursor: c.req.query("after"),
    now: Date.now(),
    message: DONE_MESSAGES.get(c.req.query("done")),
    sent,
    max: mebibytesMax(c.env),
  });
}

async function showFeed(c: AppContext, admin: SignedIn, refusal?: Refusal): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const [status, deliveries] = await Promise.all([
    feedObject(c.env, id).status(),
    pageOfDeliveries(c.env.DB, { after: afterOf(c), source: id, size: PAGE_SIZE }),
  ]);
  if (!status.ok) return notFoundPage(admin, CATALOG);
  return feedPage({
    admin,
    id,
    name: status.value.name,
    isFeed: status.value.kind === "feed",
    status: status.value,
    deliveries,
    cursor: c.req.query("after"),
    now: Date.now(),
    message: refusal === undefined ? DONE_MESSAGES.get(c.req.query("done")) : refusalWords(refusal),
    isBad: refusal !== undefined,
  });
}

/** The fields of a form that are not empty. */
const filled = (form: FormData, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => [name, textOf(form, name)] as const).filter(([, value]) => value !== ""),
  );

/** An answer to the page's script. */
const data = (c: AppContext, answer: object): Response => c.json(answer, 200, NO_STORE);
const refused = (c: AppContext, refusal: Refusal): Response =>
  c.json({ error: refusalWords(refusal) }, refusals[refusal.code].http, NO_STORE);
const NO_STORE = { "Cache-Control": "no-store" };
