import { styleText } from "node:util";
import * as z from "zod";
import { plainText } from "../../src/text/plain-text.ts";

const lineSchema = z.looseObject({
  timestamp: z.iso.datetime(),
  level: z.enum(["info", "error"]),
  event: z.string(),
});

/** Of a call, what it was about; the first that a line has. */
const NAMES = ["tool_name", "resource_uri", "prompt_name", "completion_of", "method", "target", "what"];
/** What is the same for all calls of a session, or is shown in a place of its own. */
const APART = new Set([...NAMES, "timestamp", "level", "event", "error", "correlation_id", "protocol"]);
const UNITS: Record<string, string> = { duration_ms: "ms", result_bytes: "bytes", records: "records" };

/**
 * A log line of the Worker's (src/telemetry/events.ts) as a person reads it; whatever is none, as it is. Colours
 * where the terminal of standard output has them.
 */
export function readableLine(text: string): string {
  const line = parse(text);
  if (line === undefined) return text;
  const { timestamp, event, error } = line;
  const name = NAMES.map((field) => line[field]).find((value) => typeof value === "string");
  const rest = Object.entries(line)
    .filter(([field]) => !APART.has(field))
    .map(([field, value]) => (field in UNITS ? `${show(value)} ${UNITS[field]}` : `${field}=${show(value)}`));
  const id = line["correlation_id"];
  const parts = [
    styleText("dim", timestamp.slice(11, 19)),
    styleText(colourOf(line), event),
    ...(name === undefined ? [] : [styleText("bold", show(name))]),
    ...rest,
    ...(id === undefined ? [] : [styleText("dim", show(id))]),
  ];
  const cause = typeof error === "string" ? `\n${plainText(error).replace(/^/gm, "    ")}` : "";
  return `${parts.join("  ")}${cause}`;
}

function parse(text: string): z.output<typeof lineSchema> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function colourOf({ level, event }: z.output<typeof lineSchema>): "red" | "yellow" | "dim" | "green" {
  if (level === "error") return "red";
  if (/_refused$|_declined$|^flow_incident$/.test(event)) return "yellow";
  return event.endsWith("_started") ? "dim" : "green";
}

// What a client says of itself stands in the lines: nothing in it may move a terminal's cursor.
const show = (value: unknown): string => plainText(typeof value === "string" ? value : JSON.stringify(value));
