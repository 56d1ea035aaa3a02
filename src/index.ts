import { app } from "./app.ts";

export default {
  fetch: (request, env, ctx) => app.fetch(request, { ...env, ctx }, ctx),
} satisfies ExportedHandler<Env>;
