import { AuditLog } from "./audit/audit-log.ts";
import { CallerDetection } from "./detection/caller-detection.ts";
import { CallerIncidents } from "./caller-incidents.ts";
import { IdentityVersion } from "./identity-version.ts";
import { type Nonces, createNonces } from "./nonces.ts";
import { Refreshes } from "./refreshes.ts";
import { RateWindows } from "./rate/rate-windows.ts";
import { RecentCalls } from "./retries/recent-calls.ts";
import { type Store, createStore } from "./store.ts";

/** The parts of one principal's object; replaced when all its storage is deleted. */
export interface CallerState {
  store: Store;
  log: AuditLog;
  recent: RecentCalls;
  windows: RateWindows;
  flow: CallerDetection;
  incidents: CallerIncidents;
  nonces: Nonces;
  refreshes: Refreshes;
  identity: IdentityVersion;
}

export function createState(sql: SqlStorage): CallerState {
  const store = createStore(sql);
  const log = new AuditLog(store);
  return {
    store,
    log,
    recent: new RecentCalls(store, log.openRepeats),
    windows: new RateWindows(store, log),
    flow: new CallerDetection(store),
    incidents: new CallerIncidents(store),
    nonces: createNonces(sql),
    refreshes: new Refreshes(sql),
    identity: new IdentityVersion(sql),
  };
}
