import { foreignText } from "./log.ts";

/**
 * The caller's W3C trace context, cleaned: it joins this server's records to the caller's own traces. Absent fields were
 * not sent or are not valid.
 */
export interface TraceContext {
  /** W3C Trace Context, version 00 or a later one that reads as it. */
  traceparent?: string | undefined;
  /** At most 512 characters, without the members that would exceed them. */
  tracestate?: string | undefined;
  /** W3C Baggage, at most 512 characters; personal data and secrets are cut out as in the log. */
  baggage?: string | undefined;
}

/** The fields as a log line has them, which names every field. */
export const traceFields = ({ traceparent, tracestate, baggage }: TraceContext) => ({
  traceparent,
  tracestate,
  baggage,
});

const LIST_MAX = 512;
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x20-\x7e]{0,100})?$/;
const PRINTABLE = /^[\x20-\x7e\t]+$/;

/**
 * Reads the trace context of one message: each field from its `_meta` (SEP-414), else from the HTTP request's headers.
 * A `tracestate` counts only beside a `traceparent`.
 */
export function readTraceContext(
  meta: Readonly<Record<string, unknown>> | undefined,
  headers: Headers,
): TraceContext {
  const sent = (name: keyof TraceContext) => {
    const value = meta?.[name] ?? headers.get(name);
    return typeof value === "string" && PRINTABLE.test(value) ? value.trim() : "";
  };
  const parent = sent("traceparent");
  const traceparent = TRACEPARENT.test(parent) ? parent.slice(0, TRACEPARENT_LENGTH) : "";
  const tracestate = traceparent === "" ? "" : wholeMembers(sent("tracestate"));
  const baggage = foreignBaggage(sent("baggage"));
  return {
    ...(traceparent !== "" && { traceparent }),
    ...(tracestate !== "" && { tracestate }),
    ...(baggage !== "" && { baggage }),
  };
}
const TRACEPARENT_LENGTH = 55;

/** Keeps the members of a list, from its beginning, that fit together. */
function wholeMembers(list: string): string {
  let kept = "";
  for (const member of list.split(",").map((each) => each.trim())) {
    const next = kept === "" ? member : `${kept},${member}`;
    if (next.length > LIST_MAX) break;
    kept = next;
  }
  return kept;
}

/** Cleans each member's decoded value, because an escaped address would pass the cleaning. */
const foreignBaggage = (baggage: string): string =>
  wholeMembers(
    baggage
      .split(",")
      .map((member) => foreignText(decoded(member)).replaceAll(",", " "))
      .join(","),
  );

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
