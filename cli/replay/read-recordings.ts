import { readAudit } from "./read-audit.ts";
import { readTraces } from "./read-traces.ts";
import type { RecordingReader } from "./recording.ts";

const AUDIT = '{"audit":';

/** Traces or an exported audit, by what the data begins with. */
export const readRecordings: RecordingReader = async function* recordings(name, bytes) {
  const chunks = bytes[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < AUDIT.length) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    first = Buffer.concat([first, value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    yield first;
    for (;;) {
      const { value, done } = await chunks.next();
      if (done === true) return;
      yield value;
    }
  }
  yield* first.toString("utf8", 0, AUDIT.length) === AUDIT
    ? readAudit(name, whole())
    : readTraces(name, whole());
};
