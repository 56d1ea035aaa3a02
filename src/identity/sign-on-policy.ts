import { bundledPolicy } from "../policy/bundled.ts";
import type { SignOnPolicy } from "../policy/sign-on.ts";

/** With a broken policy nobody signs on; src/app.ts then serves nothing anyway. */
const NOBODY: SignOnPolicy = {
  scope: "openid",
  roles_claim: "groups",
  mapping: {},
  default_role: null,
  valid_days: 1,
  contact: "whoever runs this server",
};

export const signOnPolicy: SignOnPolicy = bundledPolicy.ok ? bundledPolicy.policy.sign_on : NOBODY;
