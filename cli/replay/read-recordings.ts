import { peek } from "../../src/catalog/import/read/peek.ts";
import { readAudit } from "./read-audit.ts";
import { readTraces } from "./read-traces.ts";
import type { RecordingReader } from "./recording.ts";

const AUDIT = '{"audit":';

/** Reads traces or an exported audit; the first line tells which. */
export const readRecordings: RecordingReader = async function* recordings(name, bytes) {
  const { first, whole } = await peek(bytes, AUDIT.length);
  yield* first.toString("utf8", 0, AUDIT.length) === AUDIT ? readAudit(name, whole) : readTraces(name, whole);
};
