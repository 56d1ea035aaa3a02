import { localhostAllowedHostnames } from "@modelcontextprotocol/server";
import type { Settings } from "../env.ts";

// DNS rebinding: a web page's own domain, pointed at this server, makes the browser send the page's
// requests here. Host then names that domain, so only known names pass. Names under workers.dev
// are Cloudflare's and can't be pointed anywhere.
const OPEN_SUFFIX = ".workers.dev";

/**
 * Whether a request came to a developer's own machine. No request reaches a deployed Worker under a
 * loopback name: Cloudflare routes by the name, and a PUBLIC_URL elsewhere settles it.
 */
export function isLocalRequest(url: string, { PUBLIC_URL }: Settings): boolean {
  const names = [url, ...(PUBLIC_URL === undefined ? [] : [PUBLIC_URL])].map(
    (each) => new URL(each).hostname,
  );
  return names.every((name) => localhostAllowedHostnames().includes(name));
}

/** Whether a Host header names this server. */
export function isOwnHost(host: string | undefined, settings: Settings): boolean {
  const hostname = hostnameOf(`http://${host ?? ""}`);
  if (hostname === undefined) return false;
  return hostname.endsWith(OPEN_SUFFIX) || ownHostnames(settings).includes(hostname);
}

/** Whether scripts of an origin may call this server. No Origin at all is not a browser's page. */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  settings: Settings,
): boolean {
  if (origin === undefined || origin === "") return true;
  const hostname = hostnameOf(origin);
  if (hostname === undefined) return false;
  if (hostname === hostnameOf(`http://${host ?? ""}`)) return true;
  return [...ownHostnames(settings), ...settings.ALLOWED_ORIGINS].includes(hostname);
}

function ownHostnames({ PUBLIC_URL, ALLOWED_HOSTS }: Settings): string[] {
  const own = PUBLIC_URL === undefined ? [] : [new URL(PUBLIC_URL).hostname];
  return [...localhostAllowedHostnames(), ...own, ...ALLOWED_HOSTS];
}

function hostnameOf(url: string): string | undefined {
  const hostname = URL.canParse(url) ? new URL(url).hostname : "";
  return hostname === "" ? undefined : hostname;
}
