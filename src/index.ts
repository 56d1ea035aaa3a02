import { app } from "./app.ts";

export { MetricsHub } from "./telemetry/metrics/hub.ts";
export { AuditIndex } from "./windows/audit-index.ts";
export { UserWindows } from "./windows/user-windows.ts";

export default {
  fetch: (request, env, ctx) => app.fetch(request, { ...env, ctx }, ctx),
} satisfies ExportedHandler<Env>;
