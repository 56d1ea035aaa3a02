/**
 * Escapes the line separators that JSON allows in strings, so that serialized JSON is one line for every reader. Some
 * clients split a stream of events or of lines at them.
 */
export const oneLine = (json: string): string =>
  json.replace(/[\u0085\u2028\u2029]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Returns the data of each server-sent event that has a single line of it, as every event with a JSON-RPC message does. */
export const eventData = (events: string): string[] =>
  events.split(/\r\n|\n|\r/).flatMap((line) => {
    const [, data = ""] = /^data: ?(.*)$/s.exec(line) ?? [];
    return data.trim() === "" ? [] : [data];
  });
