/** The address of the page that shows products in clients with MCP Apps: tools name it, and resources/read answers it. */
export const CARDS_URI = "ui://product-catalog/cards";
