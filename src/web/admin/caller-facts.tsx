import type { Overview } from "../../caller/overview.ts";
import { isMostlyRefused } from "../../caller/audit/refusal-share.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import { type Caller, kindOf, rolesOf } from "../../admin/caller-list.ts";
import { agentHostOf } from "../../identity/principal.ts";
import { CallerState } from "./callers-page.tsx";
import { At } from "./elements.tsx";
import { number, plural } from "./units.ts";

interface CallerFactsProps {
  caller: Caller;
  overview: Overview;
  incidents: Incident[];
  now: number;
}

/** Name, roles, state and audit of a caller. */
export function CallerFacts({ caller, overview, incidents, now }: CallerFactsProps) {
  const { chain, block, refusals } = overview;
  const isStoppedBy = (by: Incident["verdict"]) =>
    incidents.some(({ verdict, last_at, window_ms }) => verdict === by && last_at + window_ms > now);
  // Take blocks from the caller's object: a block can outlast its incident, or end before it.
  const stopped = block !== null ? "block" : (["confirm", "throttle"] as const).find(isStoppedBy);
  return (
    <section class="card" aria-label="Caller">
      <dl class="facts">
        <dt>Name</dt>
        <dd>
          {caller.name ??
            (agentHostOf(caller.id) === undefined
              ? "Anonymous, identified by a hash of its network address"
              : "Identified by its host's keys")}
        </dd>
        <dt>Kind</dt>
        <dd>{kindOf(caller)}</dd>
        <dt>Roles</dt>
        <dd>{rolesOf(caller).join(", ") || "none"}</dd>
        <dt>State</dt>
        <dd>
          <CallerState
            disabled_at={caller.disabled_at}
            deleted_at={caller.deleted_at}
            stopped={stopped ?? null}
            isMostlyRefused={isMostlyRefused(refusals)}
          />{" "}
          {caller.disabled_at !== null && <At at={caller.disabled_at} />}
        </dd>
        <dt>Last hour</dt>
        <dd>
          {refusals.calls === 0
            ? "No calls"
            : `${number(refusals.refused)} of the latest ${plural(refusals.calls, "call")} refused`}
        </dd>
        {caller.created_by !== null && (
          <>
            <dt>Created by</dt>
            <dd>{caller.created_by}</dd>
          </>
        )}
        <dt>Audit</dt>
        <dd>
          {chain === null ? (
            "No records yet"
          ) : (
            <>
              {plural(chain.records, "record")} since <At at={chain.started_at} />
            </>
          )}
        </dd>
      </dl>
    </section>
  );
}
