import { closeTicket } from "./close-ticket.ts";
import { commitReservation } from "./commit-reservation.ts";
import { getCustomer } from "./get-customer.ts";
import { getCustomerOrders } from "./get-customer-orders.ts";
import { getOrder } from "./get-order.ts";
import { getPaymentMethods } from "./get-payment-methods.ts";
import { getProduct } from "./get-product.ts";
import { getTicket } from "./get-ticket.ts";
import { listCategories } from "./list-categories.ts";
import { listChanges } from "./list-changes.ts";
import { listReservations } from "./list-reservations.ts";
import { listTickets } from "./list-tickets.ts";
import { queryStock } from "./query-stock.ts";
import { releaseReservation } from "./release-reservation.ts";
import { reopenTicket } from "./reopen-ticket.ts";
import { reserveStock } from "./reserve-stock.ts";
import { searchCustomers } from "./search-customers.ts";
import { searchProducts } from "./search-products.ts";
import type { Tool } from "./tool.ts";
import { undoChange } from "./undo-change.ts";
import { updateInventory } from "./update-inventory.ts";

/** Every tool, in the order that clients see. */
export const tools: readonly Tool[] = [
  searchProducts,
  getProduct,
  queryStock,
  listCategories,
  searchCustomers,
  getCustomer,
  getCustomerOrders,
  getOrder,
  getPaymentMethods,
  listTickets,
  getTicket,
  closeTicket,
  reopenTicket,
  updateInventory,
  reserveStock,
  commitReservation,
  releaseReservation,
  listReservations,
  undoChange,
  listChanges,
];

/** Returns each version of each tool that clients may ask for, the current one first. */
export const everyVersion = (of: readonly Tool[]): Tool[] => of.flatMap((tool) => [tool, ...tool.previous]);
