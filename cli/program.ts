/** The name of the bin, which npx runs from this folder. */
export const PROGRAM = "product-catalog-mcp";
