import { Hono } from "hono/tiny";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { showRefusal } from "../../http/refuse-request.tsx";
import { limitByAddress } from "../../http/limits/address-limit.ts";
import { findKey } from "../../identity/access-keys.ts";
import { userIdSchema } from "../../identity/administration.ts";
import { signIn } from "../../identity/browser-session.ts";
import { isClaimed } from "../../identity/first-admin.ts";
import { claimServer } from "./claim.ts";
import type { Guess, Offer } from "../../setup/server-setup.ts";
import { reachSetup } from "../../setup/setup-client.ts";
import { keptTokenOf } from "../../detection/tokens.ts";
import { logEvent } from "../../telemetry/log.ts";
import { guardPages, readForm, textOf } from "../layout/form-guards.ts";
import { withCookies } from "../layout/page.tsx";
import { claimedPage, closedPage, setupPage } from "./setup-page.tsx";

/**
 * Makes the first admin of a new server in the browser. A code that only the server's log shows proves that the person is the
 * operator; it is in no URL, no audit and no answer.
 */
export const setupPages = new Hono<AppTypes>();

guardPages(setupPages, ["/setup/*"]);
setupPages.use("/setup/*", async (c, next) => ((await isClaimed(c.env.DB)) ? closedPage() : next()));
for (const path of ["/setup", "/setup/code"]) setupPages.post(path, limitByAddress("sign-in", showRefusal));

setupPages.get("/setup", () => setupPage({}));

setupPages.post("/setup/code", async (c) => {
  const offer = await askSetup<Offer>(c, async (setup) => setup.offerCode(Date.now()));
  if (offer.status === "closed") return closedPage();
  if (offer.status === "wait") return setupPage({ status: "waiting" });
  logEvent("setup_code", {
    correlation_id: c.var.correlationId,
    setup_code: offer.code,
    expires_at: new Date(offer.expiresAt).toISOString(),
  });
  return setupPage({ status: "logged" });
});

setupPages.post("/setup", async (c) => {
  const form = await readForm(c);
  const entered = textOf(form, "id").trim();
  const id = userIdSchema.safeParse(entered);
  const now = Date.now();
  const guess = await askSetup<Guess>(c, async (setup) => setup.guessCode(textOf(form, "code"), now));
  if (guess === "closed") return closedPage();
  if (guess === "wrong") return setupPage({ id: entered, problem: { field: "code", text: WRONG_CODE } });
  if (!id.success) {
    const text = `The id ${id.error.issues[0]?.message ?? "is not valid"}.`;
    return setupPage({ id: entered, problem: { field: "id", text } });
  }
  const claim = await claimServer(c.env, id.data, now);
  if (!claim.ok && claim.problem === "claimed") return closedPage();
  if (!claim.ok) return setupPage({ id: entered, problem: { field: "id", text: TAKEN } });
  const { correlationId, secretKey } = c.var;
  logEvent("setup_done", {
    correlation_id: correlationId,
    principal: keptTokenOf("principal", id.data, secretKey),
  });
  const found = await findKey(c.env.DB, claim.secret, now);
  if (found.ok) await signIn(c, { user: found.user, credential: { keyId: found.keyId } });
  return withCookies(c, await claimedPage(id.data, claim.secret, claim.recoveryCode));
});

const WRONG_CODE = "This code is wrong or has expired. Write a new one to the log.";
const TAKEN = "A user with this id exists. Choose another.";

const askSetup = <T,>(c: AppContext, ask: Parameters<typeof reachSetup<T>>[1]): Promise<T> =>
  reachSetup(c.env, ask, (ms, work) => c.var.deadline.within(ms, work));
