/** What a deployment is to bring about. */
export interface Wanted {
  worker: string;
  database: string;
  /** The title that wrangler gives the namespace of sign-ins. */
  store: string;
  /** Of the code and wrangler.toml: the same for the same deployment. */
  digest: string;
  /** Names of the variables that wrangler.toml sets. */
  settings: readonly string[];
}

/** What there is in the account. */
export interface Found {
  worker: Deployed | undefined;
  /** The database of the wanted name. `tables` is undefined where nobody needs to know. */
  database: { id: string; tables: readonly string[] | undefined } | undefined;
  /** The id of the namespace of the wanted title. */
  storeId: string | undefined;
}

/** The Worker as it serves now. */
export interface Deployed {
  /** Of each version that serves; undefined where another command deployed it. */
  digests: readonly (string | undefined)[];
  databaseId: string | undefined;
  storeId: string | undefined;
  /** Names of its plain variables, our own left out. */
  settings: readonly string[];
  secrets: readonly string[];
}

export const NOTHING: Found = { worker: undefined, database: undefined, storeId: undefined };

export type Action = "create" | "connect" | "deploy" | "make" | "keep";

export interface Step {
  what: "D1 database" | "KV namespace" | "Worker" | "secret";
  name: string;
  action: Action;
}

export type Plan =
  | {
      ok: true;
      steps: Step[];
      /** A namespace that wrangler would not find by itself: it only knows how to make one. */
      connectStore: string | undefined;
    }
  | { ok: false; problem: string };

/** Without it the Worker serves nothing. */
export const SECRET = "SECRET_KEY";
/** A table of our first migration, by which a database of ours is known. */
const OUR_TABLE = "catalog_state";

/** Steps from what there is to what is wanted: those that are done say `keep`. */
export function plan(found: Found, wanted: Wanted, options: { removeSettings?: boolean } = {}): Plan {
  const { worker } = found;
  const database = databaseAction(found);
  const store = storeAction(found);
  if (database === "connect" && !isOurs(found.database?.tables ?? [])) {
    return {
      ok: false,
      problem:
        `The account has a D1 database named "${wanted.database}" that is not of this project, and migrations would change it.\n` +
        "Give database_name in wrangler.toml another name, and run this again.",
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
        `The deployed Worker has settings that wrangler.toml does not name, and a deployment removes them: ${lost.join(", ")}.\n` +
        "Name them under [vars] in wrangler.toml, or let them go with --remove-settings.\n" +
        "What is set by npx wrangler secret put stays at every deployment.",
    };
  }
  return {
    ok: true,
    connectStore: store === "connect" ? found.storeId : undefined,
    steps: [
      { what: "D1 database", name: wanted.database, action: database },
      { what: "KV namespace", name: wanted.store, action: store },
      { what: "Worker", name: wanted.worker, action: isCurrent ? "keep" : "deploy" },
      // Never made anew: addresses, confirmations and subjects are hashed with it.
      { what: "secret", name: SECRET, action: worker?.secrets.includes(SECRET) === true ? "keep" : "make" },
    ],
  };
}

function databaseAction({ worker, database }: Found): Action {
  if (database === undefined) return "create";
  return worker?.databaseId === database.id ? "keep" : "connect";
}

/** Its title is wrangler's choice and not in wrangler.toml, so the one that is bound is the right one. */
function storeAction({ worker, storeId }: Found): Action {
  if (worker?.storeId !== undefined) return "keep";
  return storeId === undefined ? "create" : "connect";
}

const isOurs = (tables: readonly string[]): boolean => tables.length === 0 || tables.includes(OUR_TABLE);
