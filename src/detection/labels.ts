/** Classes of data that an answer may hold. All but `catalog` are personal. */
export const DATA_CLASSES = ["identity", "contact", "orders", "payment", "catalog"] as const;
export type DataClass = (typeof DATA_CLASSES)[number];
export const PERSONAL_CLASSES = ["identity", "contact", "orders", "payment"] as const;

/** Paths at which ids stand: property names, with `[]` for every item of a list, such as `orders[].customer_id`. */
export interface Places {
  arguments: readonly string[];
  results: readonly string[];
  /** Paths in the hints of a refusal, which may show things that exist to a caller who asked for one that does not. */
  hints?: readonly string[];
}

export const CALL_KINDS = ["source", "write", "sink"] as const;

/** The flow detector's description of a tool or resource. It stands beside the schemas. */
export interface Labels {
  /** Classes of the data that an answer may hold. */
  classes: readonly DataClass[];
  /** `source` brings data in, `write` changes state here, `sink` sends data beyond this server's view. */
  kinds: readonly (typeof CALL_KINDS)[number][];
  /** Ids of the people whom the data is about. */
  subjects: Places;
  /** Ids of products, orders and tickets that were looked at. */
  objects: Places;
  /** The most that one call may answer. It is reserved before the call runs and settled afterwards. */
  cost: {
    records: number;
    bytes: number;
    /** The argument that asks for fewer records, and its default. */
    page?: { argument: string; default: number };
  };
  /** An answer may say that it is the caller's task to deal with the people in it (`Signals.explained`). */
  explains?: true;
}

/** Returns whether answers hold personal data. Such calls are settled before their answer is sent. */
export const isPersonal = ({ classes }: Pick<Labels, "classes">): boolean =>
  classes.some((each) => each !== "catalog");

/**
 * Returns whether the call reads only the catalog. Such a call is settled after its answer is sent, and a lost
 * settlement costs less.
 */
export const isPublicRead = ({ classes, kinds }: Pick<Labels, "classes" | "kinds">): boolean =>
  classes.length > 0 && !isPersonal({ classes }) && kinds.every((each) => each === "source");

export const NOWHERE: Places = { arguments: [], results: [] };
