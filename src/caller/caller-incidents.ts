import type { Decision } from "../detection/decision.ts";
import type { Rule } from "../detection/rules.ts";
import { policyInForce } from "../policy/bundled.ts";
import { logEvent } from "../telemetry/log.ts";
import {
  INCIDENTS_MAX,
  type Incident,
  SAME_MS,
  type MatchedCall,
  closeStale,
  recordRuleHit,
} from "../incidents/incident-record.ts";
import type { Store } from "./store.ts";
import type { DeliveryState } from "./store/held-incidents.ts";

interface Held {
  incident: Incident;
  /** The state that is stored and delivered. `incident` may have a higher count. */
  snapshot: Incident;
  /** How far the snapshot was delivered. */
  deliveryState: DeliveryState;
}

/** One principal's incidents in its Durable Object: the open ones, and those that are not delivered yet. */
export class CallerIncidents {
  readonly #store: Store;
  readonly #held: Map<string, Held>;
  #hasUndelivered = false;

  constructor(store: Store) {
    this.#store = store;
    this.#held = new Map(
      store
        .incidents()
        .map(({ incident, deliveryState }) => [incident.id, { incident, snapshot: incident, deliveryState }]),
    );
  }

  /** Opens or updates an incident for each enforced rule hit of a decision; returns them in the hits' order. */
  note(decision: Decision, call: MatchedCall, now: number): Incident[] {
    return decision.hits.flatMap((hit) => {
      const known = this.#all();
      const noted = recordRuleHit(known, hit, { ...call, kind: kindOf(hit.rule) }, now);
      if (noted === undefined) return [];
      // Close stale ones before keeping the new one, which may push one of them out.
      for (const stale of closeStale(known, noted.incident, now)) this.#keep(stale, true);
      this.#keep(noted.incident, noted.mustDeliver);
      return [noted.incident];
    });
  }

  find = (id: string): Incident | undefined => this.#held.get(id)?.incident;

  /** Returns the rule's latest incident, open or not. */
  latestOf = (rule: string): Incident | undefined => this.#all().findLast((each) => each.rule === rule);

  /** Returns all stored ids, including those of incidents that only a newer release can read: it will still have them open. */
  ids = (): string[] => this.#store.incidentIds();

  open = (): Incident[] => this.#all().filter(({ status }) => status === "open");

  /** Returns the incidents that recently asked for a person and are answered together: those about writes, or all others. */
  waiting(isAboutWrites: boolean, now: number): Incident[] {
    return this.#all().filter(
      ({ status, verdict, rule, last_at }) =>
        status === "open" &&
        verdict === "confirm" &&
        now - last_at < SAME_MS &&
        (kindOf(rule) === "taint") === isAboutWrites,
    );
  }

  decide(
    incident: Incident,
    status: Incident["status"],
    by: string,
    note: string | null,
    now: number,
  ): Incident {
    const decided = { ...incident, status, decided_by: by, decided_at: now, note };
    this.#keep(decided, true);
    return decided;
  }

  /** Whether an incident has become undelivered since the last time this was asked. */
  takeUndelivered(): boolean {
    const hasUndelivered = this.#hasUndelivered;
    this.#hasUndelivered = false;
    return hasUndelivered;
  }

  /** Incidents that are not in D1 yet. */
  unwritten = (): Incident[] => this.#snapshotsOf(({ deliveryState }) => deliveryState === "nobody");

  /** Incidents that are in D1 and were not sent to the webhook yet. */
  unsent = (): Incident[] => this.#snapshotsOf(({ deliveryState }) => deliveryState === "database");

  /**
   * Notes how far a snapshot was delivered, unless there is a newer one. Drops a decided incident that is fully delivered,
   * because D1 has it.
   */
  noteDelivered(snapshot: Incident, deliveryState: DeliveryState): void {
    const held = this.#held.get(snapshot.id);
    if (held?.snapshot !== snapshot) return;
    if (deliveryState === "everybody" && snapshot.status !== "open") return this.#drop(snapshot.id);
    this.#held.set(snapshot.id, { ...held, deliveryState });
    this.#store.saveIncident(snapshot, deliveryState);
  }

  /** Delivered incidents whose count has grown since; D1 has the older count. */
  outdatedInDatabase = (): Incident[] =>
    [...this.#held.values()].flatMap(({ incident, snapshot, deliveryState }) =>
      incident === snapshot || deliveryState === "nobody" ? [] : [incident],
    );

  /** Notes that D1 has the incident's current count. The webhook does not need it. */
  noteCountWritten(incident: Incident): void {
    const held = this.#held.get(incident.id);
    if (held === undefined || held.deliveryState === "nobody") return;
    this.#held.set(incident.id, { ...held, snapshot: incident });
    this.#store.saveIncident(incident, held.deliveryState);
  }

  /** Drops every incident that is fully delivered. */
  dropDelivered(): void {
    for (const { incident, deliveryState } of this.#held.values())
      if (deliveryState === "everybody") this.#drop(incident.id);
  }

  #all = (): Incident[] => [...this.#held.values()].map(({ incident }) => incident);

  #snapshotsOf = (isWanted: (held: Held) => boolean): Incident[] =>
    [...this.#held.values()].filter(isWanted).map(({ snapshot }) => snapshot);

  #keep(incident: Incident, mustDeliver: boolean): void {
    const held = this.#held.get(incident.id);
    if (!mustDeliver && held !== undefined) return void this.#held.set(incident.id, { ...held, incident });
    this.#held.set(incident.id, { incident, snapshot: incident, deliveryState: "nobody" });
    this.#hasUndelivered = true;
    this.#store.saveIncident(incident, "nobody");
    if (this.#held.size > INCIDENTS_MAX) this.#dropOne(incident.id);
  }

  #dropOne(besides: string): void {
    const [gone] = [...this.#held.values()]
      .filter(({ incident }) => incident.id !== besides)
      .toSorted((a, b) => importance(a) - importance(b));
    if (gone === undefined) return;
    const { id, rule } = gone.incident;
    if (gone.deliveryState === "nobody" || isAsking(gone)) logEvent("incident_lost", { incident: id, rule });
    else if (gone.deliveryState === "database") logEvent("incident_untold", { incident: id });
    this.#drop(id);
  }

  #drop(id: string): void {
    this.#held.delete(id);
    this.#store.dropIncident(id);
  }
}

const UNDELIVERED = { everybody: 0, database: 1, nobody: 2 };
const SEVERITY = { low: 0, medium: 1, high: 2, critical: 3 };

/** A person can let the work go on only while the object holds the incident. */
const isAsking = ({ incident: { status, verdict } }: Held): boolean =>
  status === "open" && verdict === "confirm";

/** Ranks incidents by how much would be lost with each; the oldest of the lowest rank goes first. */
const importance = (held: Held): number =>
  (isAsking(held) ? 100 : 0) + 10 * UNDELIVERED[held.deliveryState] + SEVERITY[held.incident.severity];

export const kindOf = (rule: string): Rule["kind"] | undefined =>
  policyInForce().rules.find(({ id }) => id === rule)?.kind;
