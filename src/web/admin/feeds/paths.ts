import { CATALOG } from "../catalog/paths.ts";

/** The page of feeds and files. */
export const FEEDS = `${CATALOG}/feeds` as const;
export const feedPath = (id: string): string => `${FEEDS}/${encodeURIComponent(id)}`;
