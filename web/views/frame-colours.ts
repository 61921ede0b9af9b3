/** What colour a frame has in the map: by its owner where processes map it, else by its state. */
import type { Machine } from '../../kernel/index.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import type { FrameOwners } from '../read/frame-owners.ts';

/** Colours as 0xRRGGBB. */
export interface Palette {
  readonly free: number;
  readonly cached: number;
  readonly table: number;
  readonly kernel: number;
  readonly object: number;
  readonly unmapped: number;
  readonly shared: number;
  readonly hole: number;
  /** Of processes, by pid. */
  readonly owners: readonly number[];
}

export const LIGHT: Palette = {
  free: 0xe3e7ec,
  cached: 0xc3ccd6,
  table: 0xd1495b,
  kernel: 0x6b7280,
  object: 0xb58900,
  unmapped: 0x8a6fb0,
  shared: 0x111827,
  hole: 0xffffff,
  owners: [0x1f77b4, 0x2a9d5c, 0xe07b00, 0x7b4fd1, 0x0e9aa7, 0xc2438e, 0x6a8f00, 0x3554d1],
};
export const DARK: Palette = {
  free: 0x232a33,
  cached: 0x3b4653,
  table: 0xff6b7d,
  kernel: 0x97a3b3,
  object: 0xe0b64a,
  unmapped: 0xb79be0,
  shared: 0xffffff,
  hole: 0x10151b,
  owners: [0x58a6ff, 0x4ac97f, 0xff9f43, 0xa88bff, 0x3fd0dd, 0xff7ec0, 0xb4d455, 0x8aa2ff],
};

export function ownerColour(palette: Palette, pid: number): number {
  return palette.owners[(pid - 1 + palette.owners.length) % palette.owners.length] ?? 0;
}

export function cssColour(colour: number): string {
  return `#${colour.toString(16).padStart(6, '0')}`;
}

/** A pixel of an ImageData on little-endian hosts, which all that run browsers are. */
export function pixel(colour: number): number {
  const [red, green, blue] = [colour >> 16, (colour >> 8) & 0xff, colour & 0xff];
  return ((0xff << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Draws frames into pixels, one for each. Made once for a palette: the loop only looks up. */
export class FramePainter {
  readonly #byState: Uint32Array;
  readonly #owners: Uint32Array;
  readonly #shared: number;
  readonly #object: number;

  constructor(palette: Palette) {
    this.#byState = new Uint32Array(16).fill(pixel(palette.free));
    const states: readonly (readonly [number, number])[] = [
      [FRAME.CACHED, palette.cached],
      [FRAME.USED, palette.unmapped],
      [FRAME.TABLE, palette.table],
      [FRAME.RETIRED, palette.table],
      [FRAME.SLAB, palette.kernel],
      [FRAME.KERNEL, palette.kernel],
      [FRAME.HOLE, palette.hole],
    ];
    for (const [state, colour] of states) this.#byState[state] = pixel(colour);
    this.#owners = new Uint32Array(palette.owners.map(pixel));
    this.#shared = pixel(palette.shared);
    this.#object = pixel(palette.object);
  }

  paint(machine: Machine, owners: FrameOwners, pixels: Uint32Array): void {
    const { words, meta, frames } = machine;
    const { pids, mappers } = owners;
    const colours = this.#owners.length;
    for (let pfn = 0, at = meta + FRAME.STATE; pfn < frames; pfn++, at += FRAME.WORDS) {
      const word = words[at] as number;
      const state = word & 0xf;
      let colour = this.#byState[state] as number;
      if (state === FRAME.USED) {
        const pid = pids[pfn] as number;
        if ((mappers[pfn] as number) > 1) colour = this.#shared;
        else if (pid !== 0) colour = this.#owners[(pid - 1) % colours] as number;
        else if ((word & FRAME.PAGE_CACHE) !== 0) colour = this.#object;
      }
      pixels[pfn] = colour;
    }
  }
}
