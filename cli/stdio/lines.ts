const NEWLINE = 10;

/** The lines of a stream of UTF-8; undefined for one of more than `max` bytes, of which no more is kept. */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  max: number,
): AsyncGenerator<string | undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array) => {
    bytes += part.length;
    if (bytes > max) parts = [];
    else parts.push(part);
  };
  const take = () => {
    const line = bytes > max ? undefined : Buffer.concat(parts).toString("utf8");
    parts = [];
    bytes = 0;
    return line;
  };
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
      yield take();
    }
    add(chunk.subarray(from));
  }
  if (bytes > 0) yield take();
}
