import type { CallContext } from "../call-context.ts";
import type { Policy } from "../policy/schema.ts";
import { ok, refuse } from "../refusal.ts";
import { publicUrl } from "../validation/public-url.ts";
import { fetchProfile } from "./fetch-profile.ts";
import { VERSION } from "./protocol.ts";

interface Calling {
  /** This server's own origin, whose profile needs no fetch. */
  origin: string;
  policy: Pick<Policy, "agents">;
  /** Id of the caller. */
  caller: string;
  /** The profile whose key signed the request. */
  signedAs?: string | undefined;
}

export const createAgents = ({ origin, policy, caller, signedAs }: Calling): CallContext["agents"] => ({
  async negotiate(profile, capability) {
    if (URL.parse(profile)?.origin === origin && signedAs === undefined) return ok(true);
    const url = publicUrl(profile);
    if (url === undefined)
      return refuse("invalid_profile_url", "The agent's profile must be an https URL with a public name.");
    if (signedAs !== undefined && signedAs !== url.href)
      return refuse("invalid_profile_url", "The call names another profile than the header UCP-Agent.");
    const isListed = Object.hasOwn(policy.agents, url.hostname);
    const fetched = await fetchProfile(url, Date.now(), { caller, isListed });
    if (!fetched.ok) return fetched;
    const { version, capabilities } = fetched.value.ucp;
    if (version !== VERSION)
      return refuse("version_unsupported", `This server speaks UCP ${VERSION}, as its profile says.`);
    const offered = Object.hasOwn(capabilities, capability) ? (capabilities[capability] ?? []) : [];
    return ok(offered.some((each) => each.version === VERSION));
  },
});
