import { env } from "cloudflare:workers";
import { vi } from "vitest";

/** Makes sessions send their queries through the binding, where spies see them; restore all mocks afterwards. */
export function sessionsByBinding(): void {
  vi.spyOn(env.DB, "withSession").mockImplementation(() => ({
    prepare: (sql) => env.DB.prepare(sql),
    batch: (statements) => env.DB.batch(statements),
    getBookmark: () => null,
  }));
}
