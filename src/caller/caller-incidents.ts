import type { Decision } from "../detection/decision.ts";
import type { Rule } from "../detection/rules.ts";
import { policyInForce } from "../policy/bundled.ts";
import { logEvent } from "../telemetry/log.ts";
import {
  INCIDENTS_MAX,
  type Incident,
  SAME_MS,
  type SpokenAt,
  closeStale,
  noteHit,
} from "../incidents/incident-record.ts";
import type { Store } from "./store.ts";
import type { Told } from "./store/held-incidents.ts";

interface Held {
  incident: Incident;
  /** As it was when there was last something to tell of it, which is what is stored and told. */
  news: Incident;
  /** Of the news. */
  told: Told;
}

/** One principal's incidents in its Durable Object: the open ones, and those that somebody has to be told of yet. */
export class CallerIncidents {
  readonly #store: Store;
  readonly #held: Map<string, Held>;
  #hasNews = false;

  constructor(store: Store) {
    this.#store = store;
    this.#held = new Map(
      store.incidents().map(({ incident, told }) => [incident.id, { incident, news: incident, told }]),
    );
  }

  /** Every enforced hit of a decision; gives the incidents, in the hits' order. */
  note(decision: Decision, call: SpokenAt, now: number): Incident[] {
    return decision.hits.flatMap((hit) => {
      const known = this.#all();
      const noted = noteHit(known, hit, { ...call, kind: kindOf(hit.rule) }, now);
      if (noted === undefined) return [];
      // Before the new one is kept, for which one of them may have to go.
      for (const stale of closeStale(known, noted.incident, now)) this.#keep(stale, true);
      this.#keep(noted.incident, noted.isNews);
      return [noted.incident];
    });
  }

  find = (id: string): Incident | undefined => this.#held.get(id)?.incident;

  /** The last one that a rule has opened, whether it is open or not. */
  latestOf = (rule: string): Incident | undefined => this.#all().findLast((each) => each.rule === rule);

  /** Those that only a later release can read among them: it will have them open. */
  ids = (): string[] => this.#store.incidentIds();

  open = (): Incident[] => this.#all().filter(({ status }) => status === "open");

  /** Those that lately asked for a person, and are answered together: all but those about writes, or those alone. */
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

  /** Whether there is news since the last time that this was asked. */
  takeNews(): boolean {
    const hasNews = this.#hasNews;
    this.#hasNews = false;
    return hasNews;
  }

  /** News that D1 has not. */
  unwritten = (): Incident[] => this.#newsOf(({ told }) => told === "nobody");

  /** News that D1 has, and the webhook not. */
  untold = (): Incident[] => this.#newsOf(({ told }) => told === "database");

  /** Unless there is later news of it. What is decided and told is D1's alone. */
  noteTold(news: Incident, told: Told): void {
    const held = this.#held.get(news.id);
    if (held?.news !== news) return;
    if (told === "everybody" && news.status !== "open") return this.#drop(news.id);
    this.#held.set(news.id, { ...held, told });
    this.#store.saveIncident(news, told);
  }

  /** Those that went on since there was news of them, which D1 has with an older count. */
  grown = (): Incident[] =>
    [...this.#held.values()].flatMap(({ incident, news, told }) =>
      incident === news || told === "nobody" ? [] : [incident],
    );

  /** D1 has an incident as it is now, which is no news to the webhook. */
  noteWritten(incident: Incident): void {
    const held = this.#held.get(incident.id);
    if (held === undefined || held.told === "nobody") return;
    this.#held.set(incident.id, { ...held, news: incident });
    this.#store.saveIncident(incident, held.told);
  }

  /** All that everybody has been told of. */
  letGo(): void {
    for (const { incident, told } of this.#held.values()) if (told === "everybody") this.#drop(incident.id);
  }

  #all = (): Incident[] => [...this.#held.values()].map(({ incident }) => incident);

  #newsOf = (isWanted: (held: Held) => boolean): Incident[] =>
    [...this.#held.values()].filter(isWanted).map(({ news }) => news);

  #keep(incident: Incident, isNews: boolean): void {
    const held = this.#held.get(incident.id);
    if (!isNews && held !== undefined) return void this.#held.set(incident.id, { ...held, incident });
    this.#held.set(incident.id, { incident, news: incident, told: "nobody" });
    this.#hasNews = true;
    this.#store.saveIncident(incident, "nobody");
    if (this.#held.size > INCIDENTS_MAX) this.#dropOne(incident.id);
  }

  #dropOne(besides: string): void {
    const [gone] = [...this.#held.values()]
      .filter(({ incident }) => incident.id !== besides)
      .toSorted((a, b) => missed(a) - missed(b));
    if (gone === undefined) return;
    const { id, rule } = gone.incident;
    if (gone.told === "nobody" || isAsking(gone)) logEvent("incident_lost", { incident: id, rule });
    else if (gone.told === "database") logEvent("incident_untold", { incident: id });
    this.#drop(id);
  }

  #drop(id: string): void {
    this.#held.delete(id);
    this.#store.dropIncident(id);
  }
}

const TOLD = { everybody: 0, database: 1, nobody: 2 };
const SEVERITY = { low: 0, medium: 1, high: 2, critical: 3 };

/** Only while it is held can a person let the work go on. */
const isAsking = ({ incident: { status, verdict } }: Held): boolean =>
  status === "open" && verdict === "confirm";

/** How much is lost with one; of equals, the oldest goes. */
const missed = (held: Held): number =>
  (isAsking(held) ? 100 : 0) + 10 * TOLD[held.told] + SEVERITY[held.incident.severity];

export const kindOf = (rule: string): Rule["kind"] | undefined =>
  policyInForce().rules.find(({ id }) => id === rule)?.kind;
