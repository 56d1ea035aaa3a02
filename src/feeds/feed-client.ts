import { randomBytes } from "node:crypto";
import type { CatalogFeed } from "./feed-object.ts";

/** The object of a feed or an upload. */
export const feedObject = (
  { CATALOG_FEEDS }: Pick<Env, "CATALOG_FEEDS">,
  id: string,
): DurableObjectStub<CatalogFeed> => CATALOG_FEEDS.getByName(id);

/** Has no dash, because a command would take an id that begins with one for an option. */
export const newId = (): string => randomBytes(12).toString("hex");
