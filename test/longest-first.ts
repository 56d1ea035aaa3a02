import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Slow files by the processor time that they need, which their size does not show. */
const LONGEST = [
  "documented-commands/measuring",
  "deploy",
  "documented-commands/files",
  "scale",
  "import-remote",
  "documented-commands/serving",
  "faults",
].map((name) => `test/slow/${name}.test.ts`);

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
