/**
 * Returns the first `length` bytes of a stream, or all if there are fewer, and the stream with those bytes
 * still in it.
 */
export async function peek(
  bytes: AsyncIterable<Buffer>,
  length: number,
): Promise<{ first: Buffer; whole: AsyncGenerator<Buffer> }> {
  const chunks = bytes[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < length) {
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
  return { first, whole: whole() };
}
