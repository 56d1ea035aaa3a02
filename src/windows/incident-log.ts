import type { Decision } from "../flow/decision.ts";
import type { Rule } from "../flow/rules.ts";
import { policyInForce } from "../policy/bundled.ts";
import { INCIDENTS_MAX, type Incident, noteHit } from "./incidents.ts";
import type { Store } from "./store.ts";

/** One principal's incidents in its Durable Object: the open ones, and those that nobody was told of yet. */
export class IncidentLog {
  readonly #store: Store;
  readonly #held: Map<string, Incident>;
  readonly #untold: Set<string>;

  constructor(store: Store) {
    this.#store = store;
    const rows = store.incidents();
    this.#held = new Map(rows.map(({ incident }) => [incident.id, incident]));
    this.#untold = new Set(rows.flatMap(({ incident, isTold }) => (isTold ? [] : [incident.id])));
  }

  /** Every enforced hit of a decision; gives the incidents, in the hits' order. */
  note(decision: Decision, principal: string, tool: string, now: number): Incident[] {
    return decision.hits.flatMap((hit) => {
      const kind = kindOf(hit.rule);
      const noted = noteHit([...this.#held.values()], hit, { principal, tool, kind }, now);
      if (noted === undefined) return [];
      this.#keep(noted.incident, noted.isNews);
      return [noted.incident];
    });
  }

  find = (id: string): Incident | undefined => this.#held.get(id);

  /** Those that wait for a person, and are answered together: all but those about writes, or those alone. */
  waiting(isAboutWrites: boolean): Incident[] {
    return [...this.#held.values()].filter(
      ({ status, verdict, rule }) =>
        status === "open" && verdict === "confirm" && (kindOf(rule) === "taint") === isAboutWrites,
    );
  }

  decide(incident: Incident, status: Incident["status"], by: string, note: string | null, now: number): void {
    this.#keep({ ...incident, status, decided_by: by, decided_at: now, note }, true);
  }

  untold = (): Incident[] =>
    [...this.#untold].flatMap((id) => {
      const incident = this.#held.get(id);
      return incident === undefined ? [] : [incident];
    });

  /** Unless it has changed since. */
  noteTold(incident: Incident): void {
    if (this.#held.get(incident.id) !== incident) return;
    this.#untold.delete(incident.id);
    this.#store.saveIncident(incident, true);
  }

  #keep(incident: Incident, isNews: boolean): void {
    this.#held.set(incident.id, incident);
    if (!isNews) return;
    this.#untold.add(incident.id);
    this.#store.saveIncident(incident, false);
    const over = this.#held.size - INCIDENTS_MAX;
    for (const { id } of [...this.#held.values()].slice(0, Math.max(0, over))) this.#drop(id);
  }

  #drop(id: string): void {
    this.#held.delete(id);
    this.#untold.delete(id);
    this.#store.dropIncident(id);
  }
}

export const kindOf = (rule: string): Rule["kind"] | undefined =>
  policyInForce().rules.find(({ id }) => id === rule)?.kind;
