import type { Hono } from "hono";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { ensureMigrated } from "../../database/migrate.ts";

/** A form, or no content type. */
const FORM = /^(?:$|application\/x-www-form-urlencoded|multipart\/form-data)/i;

/** Guards pages: accepts forms only from this server's own pages, and brings the database up to date. */
export function guardPages(pages: Hono<AppTypes>, paths: readonly string[]): void {
  for (const path of paths) {
    // Compares with the origin that clients use, which behind a PUBLIC_URL may differ from the request's own.
    pages.use(path, async (c, next) => {
      // hono/csrf checks only content types that a form can send, and lets everything else pass.
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

/** Reads a form; empty if the body is not one. Reads a copy, because the OAuth library reads the request too. */
export const readForm = (c: AppContext): Promise<FormData> =>
  c.req.raw
    .clone()
    .formData()
    .catch(() => new FormData());

/** Returns a field's text; empty if it is missing or a file. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
