/**
 * The memory of a process that is about to end, in parts: giving many pages back gives way to other
 * work (Linux: exit_mmap calls cond_resched). What is left is gone with the space.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { RANGE_BATCH_PAGES } from '../../shared/limits.ts';
import { bytesOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import { giveWay } from '../faults/give-way.ts';
import type { Cpu } from '../machine/cpu.ts';
import { closeRange } from '../paging/range-op.ts';
import { residentPages } from '../reclaim/badness.ts';
import { openRange } from '../space/open-range.ts';
import { areasOf } from '../space/space.ts';

/**
 * Unmaps up to RANGE_BATCH_PAGES pages from the left if more than that are resident and no other
 * process uses the space. 0, or -WAIT_PAGE: to be called again.
 */
export function shrinkSpace(cpu: Cpu, proc: ProcessBlock): number {
  const { words } = cpu;
  const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  if (residentPages(cpu.machine, space) <= RANGE_BATCH_PAGES) return 0;
  // ORDER: a momentary value; while others use the space it is theirs.
  if (load(words, space + SPACE.REFS) !== 1) return 0;
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const isShorter = unmapLeft(cpu, space);
  protocol.unlockAreas(cpu, space);
  return isShorter ? giveWay(cpu, 0) : 0;
}

/** The left end of the first area, so that no area is split. The areas' lock is held. */
function unmapLeft(cpu: Cpu, space: SpaceBlock): boolean {
  const areas = areasOf(cpu, space);
  const first = areas.nextArea(0);
  if (first === null) return false;
  const size = Math.min(first.size, bytesOf(RANGE_BATCH_PAGES));
  const op = openRange(cpu, space, vpnOf(first.start), vpnOf(first.start + size));
  op.teardown = true;
  const result = areas.unmap(first.start, size, op);
  closeRange(op);
  return result.ok;
}
