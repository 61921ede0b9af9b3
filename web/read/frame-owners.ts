/** Which processes map each frame: found by reading all page tables, a few times a second. */
import type { Machine } from '../../kernel/index.ts';
import type { Pfn, Pid, Vpn } from '../../shared/units.ts';
import { visitLeaves } from './entries.ts';
import { processRows, spacesOf } from './processes.ts';

/** Where a frame is mapped. */
export interface FrameUse {
  readonly pid: Pid;
  readonly vpn: Vpn;
}

export class FrameOwners {
  /** Of each frame, the first process that maps it; 0 for none. */
  readonly pids: Uint32Array;
  /** Of each frame, the address spaces that map it, 255 at most. */
  readonly mappers: Uint8Array;
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.pids = new Uint32Array(machine.frames);
    this.mappers = new Uint8Array(machine.frames);
  }

  /** Reads all page tables. */
  refresh(): void {
    const { pids, mappers } = this;
    pids.fill(0);
    mappers.fill(0);
    for (const { pid, root } of spacesOf(processRows(this.#machine))) {
      visitLeaves(this.#machine, root, (pfn, _vpn, pages) => {
        if (pfn === 0) return;
        for (let frame = pfn; frame < pfn + pages && frame < pids.length; frame++) {
          if (mappers[frame] === 0) pids[frame] = pid;
          mappers[frame] = Math.min(255, (mappers[frame] ?? 0) + 1);
        }
      });
    }
  }

  /** Everywhere one frame is mapped. */
  usesOf(pfn: Pfn): FrameUse[] {
    const uses: FrameUse[] = [];
    for (const { pid, root } of spacesOf(processRows(this.#machine))) {
      visitLeaves(this.#machine, root, (first, vpn, pages) => {
        if (first === 0 || pfn < first || pfn >= first + pages) return;
        uses.push({ pid, vpn: vpn + pfn - first });
      });
    }
    return uses;
  }
}
