import { localhostAllowedHostnames } from "@modelcontextprotocol/server";
import type { Settings } from "../env.ts";

// Against DNS rebinding: a web page can point its own domain at this server, and the browser then sends the page's
// requests here. Host names that domain, so only known names pass. Names under workers.dev belong to Cloudflare and
// cannot be pointed anywhere.
const OPEN_SUFFIX = ".workers.dev";

/**
 * Returns whether a request came to a developer's own machine. A deployed Worker never sees a loopback name, because
 * Cloudflare routes by the name; a PUBLIC_URL elsewhere also rules it out.
 */
export function isLocalRequest(url: string, { PUBLIC_URL }: Settings): boolean {
  const names = [url, ...(PUBLIC_URL === undefined ? [] : [PUBLIC_URL])].map(
    (each) => new URL(each).hostname,
  );
  return names.every((name) => localhostAllowedHostnames().includes(name));
}

/** Returns whether callers without a credential are served: on a developer's own machine, unless LOCAL_ANONYMOUS is off. */
export const isOpenLocally = ({ local, settings }: { local: boolean; settings: Settings }): boolean =>
  local && settings.LOCAL_ANONYMOUS === "on";

/** Returns whether a Host header names this server. */
export function isOwnHost(host: string | undefined, settings: Settings): boolean {
  const hostname = hostnameOf(`http://${host ?? ""}`);
  if (hostname === undefined) return false;
  return hostname.endsWith(OPEN_SUFFIX) || ownHostnames(settings).includes(hostname);
}

/**
 * Returns whether scripts of an origin may call this server. A request without Origin does not come from a web page.
 */
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
