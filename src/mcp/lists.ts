import { type Outcome, ok, refusalError, refuse } from "../refusal.ts";
import { mayReach } from "./access.ts";
import type { Call, Work } from "./call.ts";
import { takePath } from "./call-tool.ts";
import { toolIcons } from "./icons.ts";
import { type List, lists } from "./shown.ts";
import { discoveryTarget } from "./targets.ts";

// Private, because the content of a list depends on the caller.
const CACHE = { ttlMs: 300_000, cacheScope: "private" as const };
type Listed = Record<string, object[]>;

/**
 * Answers a list with the things that the caller may use, in the registry's order and on one page. There are no valid
 * cursors.
 */
export function answerList(method: keyof typeof lists, { key, entries }: List = lists[method]) {
  return async (params: Record<string, unknown>, call: Call) => {
    const list: Work<Listed> = async () => {
      const usable = entries.filter(({ target }) => mayReach(call, target));
      return ok({
        [key]: usable.map(({ shown, target: { kind, access } }) =>
          kind === "tool" ? { ...shown, icons: toolIcons(call.origin, access?.scope ?? "") } : shown,
        ),
      });
    };
    const work: Outcome<Work<Listed>> =
      params["cursor"] === undefined
        ? ok(list)
        : refuse("invalid_arguments", "This server did not issue that cursor.");
    const wanted = { target: discoveryTarget(method), args: {}, work };
    const answer = await takePath(call, wanted, () => ({ answer: {}, records: 0 }));
    if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);
    return { ...answer.value, ...CACHE };
  };
}
