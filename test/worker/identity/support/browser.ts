import { DEPLOYED, ORIGIN, type Settings, form, send } from "./deployed.ts";

/** A user's browser: keeps cookies, and posts forms from the server's own page. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly origin: string;
  /** The server's settings. */
  readonly settings: Settings;

  constructor(origin = ORIGIN, settings = DEPLOYED) {
    this.origin = origin;
    this.settings = settings;
  }

  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) {
      headers.set("cookie", [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    const response = await send(new URL(url, this.origin), { ...init, headers }, this.settings);
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  async post(url: string, fields: Record<string, string> | [string, string][]): Promise<Response> {
    return this.request(url, form(fields, { origin: this.origin }));
  }

  #keep(line: string): void {
    const [pair = "", ...attributes] = line.split(";");
    const [name = "", ...value] = pair.split("=");
    if (attributes.some((each) => /^\s*max-age=0$/i.test(each))) this.cookies.delete(name);
    else this.cookies.set(name, value.join("="));
  }
}

export const SESSION_COOKIE = "__Host-session";

export async function signedIn(key: string, origin = ORIGIN): Promise<Browser> {
  const browser = new Browser(origin);
  await browser.post("/sign-in", { key });
  return browser;
}

/** Whether the browser has a session: with one, /authorize asks for consent and not for a key. */
export async function hasSession(browser: Browser, authorizeUrl: string): Promise<boolean> {
  return (await browser.request(authorizeUrl)).status === 200;
}

/** Returns the value of an input of the page. */
export function field(html: string, name: string): string {
  const [, value = ""] = new RegExp(`name="${name}" value="([^"]*)"`).exec(html) ?? [];
  return value.replaceAll("&amp;", "&");
}

/** Returns the scopes that a consent page offers. */
export const offered = (html: string): string[] =>
  [...html.matchAll(/<input type="checkbox" name="scope" value="([^"]*)"/g)].map(([, scope = ""]) => scope);

/** Returns the scopes that a consent page has ticked. */
export const ticked = (html: string): string[] =>
  [...html.matchAll(/<input type="checkbox" name="scope" value="([^"]*)" checked/g)].map(
    ([, scope = ""]) => scope,
  );
