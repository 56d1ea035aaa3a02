import type { CatalogFeed } from "./feed-object.ts";

/** The object of a feed or an upload. */
export const feedObject = (
  { CATALOG_FEEDS }: Pick<Env, "CATALOG_FEEDS">,
  id: string,
): DurableObjectStub<CatalogFeed> => CATALOG_FEEDS.getByName(id);
