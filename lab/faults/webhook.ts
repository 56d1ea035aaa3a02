// The receiver of incidents is down: callers must not notice, and no incident may be lost.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ANSWERED, codeOf } from "../support/codes.ts";
import { type Row, idOf, keptOf, toldBy } from "./row.ts";
import { Scene, startBreakable, tool } from "./scene.ts";

const WORDS = { refuses: "answers 503", hangs: "never answers" } as const;
/** More people than the policy lets anybody read at once. */
const PEOPLE = 12;
const FIRST = 10_001;
/** The server waits a minute before it tries again. */
const LATER_MS = 61_000;
const ARRIVES_MS = 8_000;

export async function breakWebhook(): Promise<Row[]> {
  let how: keyof typeof WORDS | undefined;
  const taken: unknown[] = [];
  const receiver = createServer((request, response) => {
    if (how === "hangs") return;
    if (how === undefined) taken.push(request.headers["webhook-id"]);
    response.writeHead(how === undefined ? 204 : 503).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = portOf(receiver.address());
  const vars = {
    INCIDENT_WEBHOOK_URL: `http://127.0.0.1:${port}/`,
    INCIDENT_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString("base64")}`,
  };
  try {
    return await Scene.with(startBreakable(vars), async (scene) => {
      const rows: Row[] = [];
      for (const each of ["refuses", "hangs"] as const) {
        how = each;
        taken.length = 0;
        const callers = await scene.callers();
        const follow = scene.follow();
        const answers = [];
        for (let person = FIRST; person < FIRST + PEOPLE; person++)
          answers.push(
            await scene.send(tool(callers.support, "get_customer", { customer_id: `C-${person}` })),
          );
        // The posting of one that hangs is given up after five seconds.
        await sleep(each === "hangs" ? 6_000 : 1_000);
        const lines = follow();
        how = undefined;
        await scene.break({ clock: String(LATER_MS), ring: callers.ids[1] ?? "" });
        for (let waited = 0; taken.length === 0 && waited < ARRIVES_MS; waited += 100) await sleep(100);
        await scene.break();
        const answered = answers.filter((answer) => codeOf(answer) === ANSWERED);
        const refused = answers.map(codeOf).find((code) => code !== ANSWERED);
        const kept = await keptOf(scene, callers, { lines, ids: answered.map(idOf), writes: 0 });
        const problems = taken.length === 0 ? ["the incident did not reach the webhook"] : [];
        if (refused !== "confirmation_required") problems.push(`nobody was stopped: ${refused}`);
        rows.push({
          fault: `The webhook ${WORDS[each]}`,
          codes: { "customer read": ANSWERED },
          longestMs: Math.max(...answers.map(({ ms }) => ms)),
          kept: `${kept.text}, incident`,
          logged: toldBy(lines),
          problems: [...problems, ...kept.problems],
        });
      }
      return rows;
    });
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
}

function portOf(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("The receiver has no port.");
  return address;
}
