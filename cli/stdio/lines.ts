const NEWLINE = 10;

/** Splits a UTF-8 stream into lines. A line of more than `max` bytes is not kept and becomes undefined. */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  max: number,
): AsyncGenerator<string | undefined> {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array) => {
    bytes += part.length;
    if (bytes > max) chunks = [];
    else chunks.push(part);
  };
  const take = () => {
    const line = bytes > max ? undefined : Buffer.concat(chunks).toString("utf8");
    chunks = [];
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
