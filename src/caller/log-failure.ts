import { logSurprise } from "../telemetry/log.ts";

/** Runs work whose failure is only logged, because the next alarm or the next refusal tries again. */
export async function logFailure(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logSurprise(error, { what: "UserWindows" });
  }
}
