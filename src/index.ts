import { app } from "./app.ts";

export { CatalogFeed } from "./feeds/feed-object.ts";
export { MetricsHub } from "./telemetry/metrics/hub.ts";
export { ServerSetup } from "./setup/server-setup.ts";
export { AuditIndex } from "./caller/audit/audit-index.ts";
export { CallerDO as UserWindows } from "./caller/caller-do.ts";

export default {
  fetch: (request, env, ctx) => app.fetch(request, { ...env, ctx }, ctx),
} satisfies ExportedHandler<Env>;
