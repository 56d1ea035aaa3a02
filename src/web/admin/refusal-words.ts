import type { Refusal } from "../../refusal.ts";
import { plural } from "./units.ts";

/** A refused change in words for the admin who wanted it: the reason, and what to do next. */
export function refusalWords({ code, message, retryAfterMs = 0 }: Refusal): string {
  if (code === "rate_limited")
    return `You have made as many changes as one admin may for now. Nothing was changed. ${afterWords(retryAfterMs)}`;
  if (code === "flow_blocked")
    return "A rule blocks your changes. Nothing was changed. Another admin can see why, and release you, on your page under Callers.";
  if (code === "confirmation_required") return `Nothing was changed. ${message}`;
  if (code === "timeout" || code === "unavailable")
    return "The guard, which records every change, can't be reached. Nothing was changed. Try again in a minute.";
  return message;
}

function afterWords(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  const when = minutes < 90 ? plural(minutes, "minute") : plural(Math.ceil(minutes / 60), "hour");
  return `Try again in ${when}, or ask another admin.`;
}
