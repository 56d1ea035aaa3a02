import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files whose size does not show how much processor time they need, longest first. Those that compare times (scale, faults) are not
 * here: they begin late, when less runs beside them.
 */
const LONGEST = [
  "slow/documented-commands/measuring",
  "slow/deploy",
  "slow/documented-commands/files",
  "slow/documented-commands/serving",
  "slow/import-remote",
  "slow/dashboard-looks.browser",
  "worker/guard/fuzz",
].map((name) => `test/${name}.test.ts`);

/** Starts the longest files first; otherwise one of them would run on alone when all others are done. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
