/** Recordings for tests: the bundled ones, and texts that a test writes. */
import { readFileSync } from 'node:fs';
import { replay } from '../../lab/replay/replay.ts';
import type { ReplayOptions } from '../../lab/replay/replay.ts';
import type { ReplayReport } from '../../lab/replay/replay-report.ts';
import type { TextSource } from '../../lab/replay/text/open-text.ts';

const DEFAULTS: ReplayOptions = {
  memoryBytes: 2 ** 26,
  protocol: 'rcu',
  checked: true,
  native: false,
  touch: false,
  maps: false,
  checkMaps: null,
  stopAt: Infinity,
  sizeOf: () => null,
  now: () => performance.now(),
  signal: new AbortController().signal,
  onProgress: () => {},
};

export function replayed(
  source: TextSource,
  options: Partial<ReplayOptions> = {},
): Promise<ReplayReport> {
  return replay(source, { ...DEFAULTS, ...options });
}

export function bundledBytes(file: string): Buffer {
  return readFileSync(new URL(`../fixtures/recordings/${file}`, import.meta.url));
}

/** Bytes, in pieces of that size. */
export function sourceOf(content: string | Uint8Array, pieceBytes: number = 65536): TextSource {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    name: 'test',
    async *open() {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        yield bytes.subarray(at, at + pieceBytes);
      }
    },
  };
}

/** Replays lines. */
export function replayLines(
  lines: readonly string[],
  options: Partial<ReplayOptions> = {},
): Promise<ReplayReport> {
  return replayed(sourceOf(`${lines.join('\n')}\n`), options);
}
