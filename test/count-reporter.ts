import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";

/**
 * Ends a run with `N passed, N failed` over all projects; a file that did not load counts as failed. Skipped
 * tests are listed before it by reason, and counted after it.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandledErrors.length;
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    const skipped = inState("skipped");
    const failed = inState("failed").length + broken;
    const lines = [
      ...skippedLines(skipped),
      `${inState("passed").length} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`,
    ];
    process.stdout.write(`\n${lines.join("\n")}\n`);
  }
}

/**
 * Returns a line for each reason and file: `Left out, because there is no browser: 18 tests of
 * test/slow/sign-in.browser.test.ts`.
 */
function skippedLines(skipped: TestCase[]): string[] {
  const groups = Map.groupBy(skipped, (test) => {
    const result = test.result();
    const note = "note" in result ? result.note : undefined;
    const file = relative(process.cwd(), test.module.moduleId);
    return `Left out, ${note === undefined ? "without a reason" : `because ${note}`}: ${file}`;
  });
  return [...groups].map(([line, { length }]) => `${line} (${length} ${length === 1 ? "test" : "tests"})`);
}
