import { beforeEach, vi } from "vitest";
import { Pace } from "../../../src/guard/pace.ts";

/**
 * Lets the requests of one caller start at once in the tests of a file, which otherwise wait 30 ms for each. Tests about
 * the pace itself, and about many requests at the same time, keep it.
 */
export function withoutPace(): void {
  beforeEach(() => {
    const pace = vi.spyOn(Pace.prototype, "next").mockReturnValue({ waitMs: 0, isTooLong: false });
    // Files share their modules.
    return () => pace.mockRestore();
  });
}
