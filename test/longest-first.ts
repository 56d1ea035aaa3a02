import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Its commands follow each other, so it takes as long as a quarter of all slow files together. */
const LONGEST = "test/slow/documented-commands.test.ts";

/** Starts the longest file first; otherwise it would run on alone when all others are done. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification) => Number(moduleId.endsWith(LONGEST));
    return (await super.sort(files)).toSorted((a, b) => isLongest(b) - isLongest(a));
  }
}
