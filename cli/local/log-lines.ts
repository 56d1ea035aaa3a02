import { styleText } from "node:util";
import * as z from "zod";
import { plainText } from "../../src/text/plain-text.ts";

const lineSchema = z.looseObject({
  timestamp: z.iso.datetime(),
  level: z.enum(["info", "error"]),
  event: z.string(),
});

/** Fields that name the subject of a call; the first one present is shown. */
const NAMES = ["tool_name", "resource_uri", "prompt_name", "completion_of", "method", "target", "what"];
/** Fields that are equal for all calls of a session, or are shown in a place of their own. */
const APART = new Set([...NAMES, "timestamp", "level", "event", "error", "correlation_id", "protocol"]);
const UNITS: Record<string, string> = { duration_ms: "ms", result_bytes: "bytes", records: "records" };

/**
 * Formats a log line of the Worker (src/telemetry/events.ts) for a person. Other lines are returned
 * unchanged. Colours are used if standard output is a terminal that has them.
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

// The lines contain text from clients, so control characters that could move a terminal's cursor are removed.
const show = (value: unknown): string => plainText(typeof value === "string" ? value : JSON.stringify(value));
