import { NOWHERE, type Labels } from "../detection/labels.ts";
import type { Answered } from "../detection/signals.ts";
import type { Scope } from "../identity/scopes.ts";
import type { Outcome } from "../refusal.ts";
import type { CallContext } from "../call-context.ts";

/** Resources are JSON, declared as plain text: a model reads text, and the Anthropic SDK's helpers refuse application/json. */
export const RESOURCE_TYPE = "text/plain";

interface Described {
  name: string;
  title: string;
  description: string;
  /** The scope that the caller's token needs. */
  scope: Scope;
  labels: Labels;
  /** The resource only reads the database, so a read may run beside its admission (src/guard/read-ahead.ts). */
  runsAhead?: true;
}

/** Labels and scope of resources that show the public catalog. */
export const CATALOG: Pick<Described, "scope"> & { labels: Pick<Labels, "classes" | "kinds" | "subjects"> } =
  {
    scope: "catalog:read",
    labels: { classes: ["catalog"], kinds: ["source"], subjects: NOWHERE },
  };

/**
 * Returns up to `limit` ids or names that continue the typed text, and the part of that text to keep before each of
 * them.
 */
export type Completer = (
  typed: string,
  context: CallContext,
  limit: number,
) => Promise<{ before?: string; ids: string[] }>;

/** A resource at a fixed URI; `read` returns the value that is sent as JSON. */
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
