// Replaces src/guard/guard.ts in the bundle (wrangler.toml): lets every call pass and records nothing.

import type { Guard, GuardContext } from "../../../../src/guard/guarded-call.ts";
import { recorded } from "../../../../src/guard/recorded.ts";
import { ok } from "../../../../src/refusal.ts";

const admitted = ok({ settle: async () => ok(undefined) });

export const createGuard = (context: GuardContext): Guard =>
  recorded({ admit: async () => admitted, longestWaitMs: undefined }, context);
