import { raw } from "hono/html";
import { version } from "../../package.json";
import type { AppContext } from "../app-types.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { isOpenLocally } from "../http/hosts.ts";
import { isForPerson } from "../http/refuse-request.tsx";
import { isClaimed } from "../identity/first-admin.ts";
import { fillIn, readPublic } from "../public-files.ts";
import { logSurprise } from "../telemetry/log.ts";
import { OWN_SOURCES, sendPage } from "./layout/page.tsx";

/**
 * Shows how to connect each client with this server: a page in a browser (public/install.html), text elsewhere (public/install.txt). Parts of the page
 * with `data-if` are left out unless they hold.
 */
export async function installPage(c: AppContext): Promise<Response> {
  const mcp = new URL("/mcp", c.var.origin).href;
  const answer = isForPerson(c)
    ? await filledPage(c, mcp)
    : c.text(fillIn(await readPublic(c.env.ASSETS, "install.txt"), { mcp, version }));
  answer.headers.set("Vary", "Accept");
  return answer;
}

async function filledPage(c: AppContext, mcp: string): Promise<Response> {
  const { local: isLocal, settings } = c.var;
  const isOpen = isOpenLocally(c.var);
  const holds = new Map([
    ["new", await isNew(c)],
    ["local", isLocal],
    ["deployed", !isLocal],
    ["open", isOpen],
    ["signed-in", !isOpen],
    ["public", settings.PUBLIC_CATALOG === "on"],
  ]);
  // None of these values holds a character that HTML reads.
  const html = fillIn(await readPublic(c.env.ASSETS, "install"), {
    mcp,
    "mcp-uri": encodeURIComponent(mcp),
    cursor: encodeURIComponent(btoa(JSON.stringify({ url: mcp }))),
    vscode: encodeURIComponent(JSON.stringify({ name: "product-catalog", type: "http", url: mcp })),
    version,
  });
  return new HTMLRewriter()
    .on("[data-if]", {
      element(element) {
        if (holds.get(element.getAttribute("data-if") ?? "") !== true) element.remove();
        else element.removeAttribute("data-if");
      },
    })
    .transform(await sendPage(raw(html), OWN_SOURCES));
}

/** Whether the server has had no admin yet. The page is shown without the database too. */
async function isNew(c: AppContext): Promise<boolean> {
  try {
    await ensureMigrated(c.env.DB);
    return !(await isClaimed(c.env.DB));
  } catch (error) {
    logSurprise(error, { correlation_id: c.var.correlationId, what: "install page" });
    return false;
  }
}
