import type { Hono } from "hono";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { ensureMigrated } from "../../database/migrate.ts";

/** A form, or nothing at all. */
const FORM = /^(?:$|application\/x-www-form-urlencoded|multipart\/form-data)/i;

/** What every page needs: forms of this server's own pages alone, and a database that is up to date. */
export function guardPages(pages: Hono<AppTypes>, paths: readonly string[]): void {
  for (const path of paths) {
    // The origin that clients use, which behind a PUBLIC_URL need not be the request's own.
    pages.use(path, async (c, next) => {
      // hono/csrf looks at what a form can send, and lets all else pass, whoever sent it.
      const isRead = c.req.method === "GET" || c.req.method === "HEAD";
      const isForm = FORM.test(c.req.header("content-type") ?? "");
      if (!isRead && !isForm && c.req.header("origin") !== c.var.origin) throw new HTTPException(403);
      await next();
    });
    pages.use(path, csrf({ origin: (origin, c: AppContext) => origin === c.var.origin }));
    pages.use(path, async (c, next) => {
      await ensureMigrated(c.env.DB);
      await next();
    });
  }
}

/** What a form holds; nothing where it is none. A copy, since the OAuth library reads the request too. */
export const readForm = (c: AppContext): Promise<FormData> =>
  c.req.raw
    .clone()
    .formData()
    .catch(() => new FormData());

/** A field's text; empty where it is missing or a file. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
