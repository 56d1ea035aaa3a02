import { NOWHERE, type Labels } from "../detection/labels.ts";
import type { Answered } from "../detection/signals.ts";
import type { Scope } from "../identity/scopes.ts";
import type { Outcome } from "../refusal.ts";
import type { CallContext } from "../call-context.ts";

interface Described {
  name: string;
  title: string;
  description: string;
  /** What the caller's token must have been granted. */
  scope: Scope;
  labels: Labels;
}

/** Of what shows the catalog as it is shown to everybody. */
export const CATALOG: Pick<Described, "scope"> & { labels: Pick<Labels, "classes" | "kinds" | "subjects"> } =
  {
    scope: "catalog:read",
    labels: { classes: ["catalog"], kinds: ["source"], subjects: NOWHERE },
  };

/** Up to `limit` ids or names that continue what was typed so far, and how much of that stays before each of them. */
export type Completer = (
  typed: string,
  context: CallContext,
  limit: number,
) => Promise<{ before?: string; ids: string[] }>;

/** A resource at a fixed URI; `read` answers what is sent as JSON. */
export interface Resource extends Described {
  uri: string;
  read(context: CallContext): Promise<Outcome<Answered<object>>>;
}

/** A family of resources whose URI has one variable. */
export interface ResourceTemplate extends Described {
  uriTemplate: string;
  variable: string;
  read(value: string, context: CallContext): Promise<Outcome<Answered<object>>>;
  complete: Completer;
}
