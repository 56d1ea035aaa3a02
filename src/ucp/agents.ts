import { type Outcome, ok, refuse } from "../refusal.ts";
import type { Capability } from "./protocol.ts";

export interface Agents {
  /** Returns whether an agent has the capability, by its profile; a refusal if the profile cannot be used. */
  negotiate(profile: string, capability: Capability): Promise<Outcome<boolean>>;
}

/** `origin` is this server's own. */
export const createAgents = (origin: string): Agents => ({
  async negotiate(profile) {
    const url = URL.parse(profile);
    return url?.protocol === "https:" || url?.origin === origin
      ? ok(true)
      : refuse("invalid_arguments", "meta.ucp-agent.profile: must be an https URL.");
  },
});
