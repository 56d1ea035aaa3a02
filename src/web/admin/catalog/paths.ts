/** The path of the page Catalog; its lists are below it. */
export const CATALOG = "/admin/catalog";
