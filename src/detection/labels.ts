/** What kinds of data an answer may hold. All but `catalog` are personal. */
export const DATA_CLASSES = ["identity", "contact", "orders", "payment", "catalog"] as const;
export type DataClass = (typeof DATA_CLASSES)[number];
export const PERSONAL_CLASSES = ["identity", "contact", "orders", "payment"] as const;

/** Where ids stand: paths of property names, `[]` for every item of a list, such as `orders[].customer_id`. */
export interface Places {
  arguments: readonly string[];
  results: readonly string[];
  /** In what a refusal adds to help: who asks for what is not there is shown what is. */
  hints?: readonly string[];
}

export const CALL_KINDS = ["source", "write", "sink"] as const;

/** What the flow detector has to know of a tool or resource; it stands beside the schemas. */
export interface Labels {
  /** Of the data that an answer may hold. */
  classes: readonly DataClass[];
  /** `source` brings data in, `write` changes state here, `sink` sends data where this server can't see it. */
  kinds: readonly (typeof CALL_KINDS)[number][];
  /** Ids of the people whom the data is about. */
  subjects: Places;
  /** Ids of the things that were looked at: products, orders, tickets. */
  objects: Places;
  /** The most that one call may answer; reserved before it runs, settled after. */
  cost: {
    records: number;
    bytes: number;
    /** The argument that asks for fewer records, and what its absence means. */
    page?: { argument: string; default: number };
  };
}

/** Whether answers hold data about people: such calls are settled before they are answered. */
export const isPersonal = ({ classes }: Pick<Labels, "classes">): boolean =>
  classes.some((each) => each !== "catalog");

/** Reads of nothing but the catalog: they are answered before they are settled, and a lost settlement costs less. */
export const isPublicRead = ({ classes, kinds }: Pick<Labels, "classes" | "kinds">): boolean =>
  classes.length > 0 && !isPersonal({ classes }) && kinds.every((each) => each === "source");

export const NOWHERE: Places = { arguments: [], results: [] };
