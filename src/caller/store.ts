import { type ChainRows, chainRows } from "./store/chain-rows.ts";
import { type ChargeRows, chargeRows } from "./store/charge-rows.ts";
import { type FlowRows, flowRows } from "./store/flow-rows.ts";
import { type HeldIncidents, heldIncidents } from "./store/held-incidents.ts";
import { type RecordRows, recordRows } from "./store/record-rows.ts";
import { type StateRow, stateRow } from "./store/state-row.ts";
import { openTables } from "./store/tables.ts";

/** Everything that one caller's Durable Object stores. */
export interface Store extends StateRow, ChainRows, RecordRows, ChargeRows, FlowRows, HeldIncidents {}

/**
 * The tables are created when the first state is saved, so an object that is only read, or whose chain has ended, stores
 * nothing.
 */
export function createStore(sql: SqlStorage): Store {
  const tables = openTables(sql);
  return {
    ...stateRow(tables),
    ...chainRows(tables),
    ...recordRows(tables),
    ...chargeRows(tables),
    ...flowRows(tables),
    ...heldIncidents(tables),
  };
}
