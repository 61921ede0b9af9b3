/** How long it takes to zero a frame of a SharedArrayBuffer, by method. */
import { fastest, nanosecondsEach } from './timing.ts';

/** Nanoseconds a frame. */
export type ZeroingFigures = Readonly<
  Record<'fillWords' | 'fillBytes' | 'set' | 'copy' | 'unrolled', number>
>;

const FRAMES = 16_384;

export function zeroingFigures(): ZeroingFigures {
  const buffer = new SharedArrayBuffer(FRAMES * 4096);
  const words = new Int32Array(buffer);
  const bytes = new Uint8Array(buffer);
  const doubles = new Float64Array(buffer);
  const zeroes = new Int32Array(1024);
  const frameNs = (zero: (frame: number) => void): number =>
    fastest(() =>
      nanosecondsEach(FRAMES - 1, () => {
        for (let frame = 1; frame < FRAMES; frame++) zero(frame);
      }),
    );
  return {
    fillWords: frameNs((frame) => words.fill(0, frame * 1024, frame * 1024 + 1024)),
    fillBytes: frameNs((frame) => bytes.fill(0, frame * 4096, frame * 4096 + 4096)),
    set: frameNs((frame) => words.set(zeroes, frame * 1024)),
    copy: frameNs((frame) => words.copyWithin(frame * 1024, 0, 1024)),
    unrolled: frameNs((frame) => {
      const start = frame * 512;
      for (let i = start; i < start + 512; i += 4) {
        doubles[i] = 0;
        doubles[i + 1] = 0;
        doubles[i + 2] = 0;
        doubles[i + 3] = 0;
      }
    }),
  };
}
