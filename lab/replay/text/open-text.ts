/** Opens a text that may be compressed by gzip, in Node and in a page. */

/** A file, a part of a page, or what a test has written. */
export interface TextSource {
  /** As messages call it. */
  readonly name: string;
  /** Its bytes from the beginning; a recording is read twice. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** An opened text. */
export interface OpenedText {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** After the last piece: why there are no more, null if that is the end. */
  readonly cutOffReason: () => string | null;
}

const GZIP_MAGIC: readonly number[] = [0x1f, 0x8b];

export async function openText(source: TextSource): Promise<OpenedText> {
  const iterator = source.open()[Symbol.asyncIterator]();
  const first = await firstPiece(iterator);
  const isCompressed = GZIP_MAGIC.every((byte, i) => first[i] === byte);
  if (!isCompressed) {
    return { pieces: piecesFrom(first, iterator), cutOffReason: () => null };
  }
  let reason: string | null = null;
  const pieces = decompressed(piecesFrom(first, iterator), (why) => (reason = why));
  return { pieces, cutOffReason: () => reason };
}

/** As many pieces as have the magic bytes, as one. */
async function firstPiece(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < GZIP_MAGIC.length) {
    const next = await iterator.next();
    if (next.done === true) break;
    const both = new Uint8Array(first.length + next.value.length);
    both.set(first);
    both.set(next.value, first.length);
    first = both;
  }
  return first;
}

async function* piecesFrom(
  first: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

async function* decompressed(
  pieces: AsyncGenerator<Uint8Array>,
  onCutOff: (why: string) => void,
): AsyncGenerator<Uint8Array> {
  const source = new ReadableStream<BufferSource>({
    pull: async (controller) => {
      const next = await pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
    },
    cancel: () => void pieces.return(undefined),
  });
  const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    onCutOff(error instanceof Error ? error.message : String(error));
  } finally {
    reader.cancel().catch(() => {});
  }
}
