import type { Child } from "hono/jsx";
import type { Incident } from "../../incidents/incident-record.ts";
import { STATUS_NAMES } from "./incident-words.ts";
import { ago } from "./units.ts";

// Elements that several pages of the dashboard share.

const FORMAT = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
  timeZone: "UTC",
});
export const utc = (at: number): string => `${FORMAT.format(at)} UTC`;

/** A time with its date. */
export function At({ at }: { at: number }) {
  return <time datetime={new Date(at).toISOString()}>{utc(at)}</time>;
}

const SHORT = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZone: "UTC",
});

/** A shorter form for a narrow column whose heading says UTC. */
export function ShortAt({ at }: { at: number }) {
  return (
    <time datetime={new Date(at).toISOString()} title={utc(at)}>
      {SHORT.format(at)}
    </time>
  );
}

/** The time since a moment, with the moment as a tooltip. */
export function Ago({ at, now }: { at: number; now: number }) {
  return (
    <time datetime={new Date(at).toISOString()} title={utc(at)}>
      {ago(at, now)}
    </time>
  );
}

type Tone = "critical" | "high" | "medium" | "low" | "good" | "quiet";

/** A highlighted word. Its colour carries no meaning of its own. */
export function Chip({ tone, children }: { tone: Tone; children: Child }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}

export function StatusChip({ status }: Pick<Incident, "status">) {
  const tone = status === "open" ? "high" : status === "released" ? "good" : "quiet";
  return <Chip tone={tone}>{STATUS_NAMES[status]}</Chip>;
}

/** One number that matters. */
export function Tile({ name, value, tone }: { name: string; value: string; tone?: "bad" | undefined }) {
  return (
    <div class={`tile ${tone ?? ""}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

export function Card({ title, children, id }: { title: string; children: Child; id?: string }) {
  return (
    <section class="card" aria-labelledby={id ?? slug(title)}>
      <h2 id={id ?? slug(title)}>{title}</h2>
      {children}
    </section>
  );
}

const slug = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** The result of the last action, which screen readers read out. */
export function Done({ children, isBad = false }: { children: Child; isBad?: boolean }) {
  return (
    <p class={isBad ? "done bad" : "done"} role={isBad ? "alert" : "status"}>
      {children}
    </p>
  );
}

export function Note({ id, hint }: { id: string; hint?: string }) {
  return (
    <p class="field">
      <label for={id}>Note (optional)</label>
      <input id={id} type="text" name="note" maxlength={500} autocomplete="off" />
      {hint !== undefined && <small class="quiet">{hint}</small>}
    </p>
  );
}

/** The path of a caller's page. */
export const callerPath = (id: string): string => `/admin/callers/${encodeURIComponent(id)}`;
export function CallerLink({ id }: { id: string }) {
  return <a href={callerPath(id)}>{id}</a>;
}
