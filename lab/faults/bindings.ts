// Breaks one binding after the other in every way, and sends every call meanwhile.

import { type Row, rowOf } from "./row.ts";
import { Scene, startBreakable } from "./scene.ts";

const HOWS = ["fails", "hangs", "slow", "loses"] as const;
type How = (typeof HOWS)[number];

const WORDS: Record<How, string> = {
  fails: "fails",
  hangs: "never answers",
  slow: "takes 0.3 s more",
  loses: "works, but its answers are lost",
};

interface Breakable {
  binding: string;
  what: string;
  hows?: readonly How[];
  /** Callers are new, because the binding is only asked then. */
  areNew?: boolean;
  /** The isolate is new, because it asks the binding once. */
  isNew?: boolean;
}

/** Each list runs one after the other; the lists run beside each other. */
export const BINDINGS: readonly (readonly Breakable[])[] = [
  [
    { binding: "DB", what: "D1" },
    { binding: "EVENTS", what: "Analytics Engine", hows: ["fails"] },
    { binding: "SERVER_SETUP", what: "The server's own key", hows: ["fails", "hangs"], isNew: true },
  ],
  [
    { binding: "USER_WINDOWS", what: "Callers' objects" },
    { binding: "AUDIT_INDEX", what: "The index of audits", areNew: true },
  ],
  [
    { binding: "OAUTH_KV", what: "KV (OAuth)", areNew: true },
    { binding: "METRICS_HUB", what: "The metrics hub" },
    { binding: "ASSETS", what: "Static files" },
  ],
];

export const breakBindings = (list: readonly Breakable[]): Promise<Row[]> =>
  Scene.with(startBreakable(), async (scene) => {
    const rows: Row[] = [];
    for (const { binding, what, hows = HOWS, areNew = false, isNew = false } of list)
      for (const how of hows) {
        const callers = await scene.callers({ areKnown: !areNew });
        await scene.break({ binding, how, ...(isNew && { anew: "yes" }) });
        rows.push(
          await rowOf(`${what} ${WORDS[how]}`, scene, callers, async () => void (await scene.break())),
        );
      }
    return rows;
  });
