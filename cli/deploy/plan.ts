/** The deployment that should exist. */
export interface Wanted {
  worker: string;
  database: string;
  /** The title that wrangler gives the KV namespace of sign-ins. */
  store: string;
  /** Digest of the code and wrangler.toml; equal deployments have equal digests. */
  digest: string;
  /** Names of the variables that wrangler.toml sets. */
  settings: readonly string[];
}

/** The resources that exist in the account. */
export interface Found {
  worker: Deployed | undefined;
  /** The database with the wanted name. `tables` is undefined if no step depends on it. */
  database: { id: string; tables: readonly string[] | undefined } | undefined;
  /** The id of the namespace with the wanted title. */
  storeId: string | undefined;
}

/** The Worker that serves now. */
export interface Deployed {
  /** The digest of each serving version; undefined if another command deployed it. */
  digests: readonly (string | undefined)[];
  databaseId: string | undefined;
  storeId: string | undefined;
  /** Names of its plain variables, without the digest variable. */
  settings: readonly string[];
}

export const NOTHING: Found = { worker: undefined, database: undefined, storeId: undefined };

export type Action = "create" | "connect" | "deploy" | "keep";

export interface Step {
  what: "D1 database" | "KV namespace" | "Worker";
  name: string;
  action: Action;
}

export type Plan =
  | {
      ok: true;
      steps: Step[];
      /** An existing namespace that wrangler would not find by itself: it only knows how to create one. */
      connectStore: string | undefined;
    }
  | { ok: false; problem: string };

/** A table of the first migration; a database that has it belongs to this product. */
const OUR_TABLE = "catalog_state";

/** Plans the steps from what exists to what is wanted. A step with nothing to do has the action `keep`. */
export function plan(found: Found, wanted: Wanted, options: { removeSettings?: boolean } = {}): Plan {
  const { worker } = found;
  const database = databaseAction(found);
  const store = storeAction(found);
  if (database === "connect" && !isOurs(found.database?.tables ?? [])) {
    return {
      ok: false,
      problem:
        `The account has a D1 database named "${wanted.database}" that belongs to another project, and migrations would change it.\n` +
        "Set another database_name in wrangler.toml, and run this again.",
    };
  }
  const isCurrent =
    worker !== undefined &&
    worker.digests.length > 0 &&
    worker.digests.every((digest) => digest === wanted.digest) &&
    database === "keep" &&
    store === "keep";
  const lost = (worker?.settings ?? []).filter((name) => !wanted.settings.includes(name));
  if (!isCurrent && lost.length > 0 && options.removeSettings !== true) {
    return {
      ok: false,
      problem:
        `A deployment would remove settings of the Worker that wrangler.toml does not name: ${lost.join(", ")}.\n` +
        "Add them under [vars] in wrangler.toml, or remove them with --remove-settings.\n" +
        "Secrets set with npx wrangler secret put are kept.",
    };
  }
  return {
    ok: true,
    connectStore: store === "connect" ? found.storeId : undefined,
    steps: [
      { what: "D1 database", name: wanted.database, action: database },
      { what: "KV namespace", name: wanted.store, action: store },
      { what: "Worker", name: wanted.worker, action: isCurrent ? "keep" : "deploy" },
    ],
  };
}

function databaseAction({ worker, database }: Found): Action {
  if (database === undefined) return "create";
  return worker?.databaseId === database.id ? "keep" : "connect";
}

/**
 * wrangler chooses the title, which wrangler.toml does not hold, so a namespace that is already bound is the
 * right one.
 */
function storeAction({ worker, storeId }: Found): Action {
  if (worker?.storeId !== undefined) return "keep";
  return storeId === undefined ? "create" : "connect";
}

const isOurs = (tables: readonly string[]): boolean => tables.length === 0 || tables.includes(OUR_TABLE);
