import type { CallContext } from "../call-context.ts";
import { ok, refuse } from "../refusal.ts";
import { fetchProfile, publicUrl } from "./fetch-profile.ts";
import { VERSION } from "./protocol.ts";

/** `origin` is this server's own, whose profile needs no fetch. */
export const createAgents = (origin: string): CallContext["agents"] => ({
  async negotiate(profile, capability) {
    if (URL.parse(profile)?.origin === origin) return ok(true);
    const url = publicUrl(profile);
    if (url === undefined)
      return refuse("invalid_profile_url", "The agent's profile must be an https URL with a public name.");
    const fetched = await fetchProfile(url, Date.now());
    if (!fetched.ok) return fetched;
    const { version, capabilities } = fetched.value.ucp;
    if (version !== VERSION)
      return refuse("version_unsupported", `This server speaks UCP ${VERSION}, as its profile says.`);
    const offered = Object.hasOwn(capabilities, capability) ? (capabilities[capability] ?? []) : [];
    return ok(offered.some((each) => each.version === VERSION));
  },
});
