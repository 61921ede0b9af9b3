/** What is known of a recorded address space, beyond what the machine has of it. */
import { areasOf } from '../../../kernel/space/space.ts';
import type { Area } from '../../../kernel/space/shared-area-store.ts';
import * as M from '../../../shared/abi/mman.ts';
import { SYS_MMAP } from '../../../shared/abi/syscall-numbers.ts';
import type { UsedRange, Relocation } from '../../../shared/relocation.ts';
import { MMAP_TOP } from '../../../shared/limits.ts';
import type { ProcessBlock, SpaceBlock } from '../../../shared/units.ts';
import type { ReplayMachine } from './replay-machine.ts';

export class ReplaySpace {
  /** Where the recorded addresses are. */
  readonly relocation: Relocation;
  /** Whether the machine knows where the heap begins. */
  hasBreak = false;
  /** Whether the areas that execve had made were recorded. */
  hasFirstAreas = false;
  /** Mapped here and not in the recording, so that the machine chooses as the recorded one did. */
  readonly hidden: UsedRange[] = [];
  isBounded = false;
  /** Processes and threads that use it, and the most there were. */
  users = 0;
  /** Memory calls that were replayed. */
  calls = 0;

  constructor(relocation: Relocation) {
    this.relocation = relocation;
  }

  /** A child's copy of it. */
  fork(): ReplaySpace {
    const copy = new ReplaySpace(this.relocation);
    copy.hasBreak = this.hasBreak;
    copy.hasFirstAreas = this.hasFirstAreas;
    copy.isBounded = this.isBounded;
    copy.hidden.push(...this.hidden);
    return copy;
  }

  isHidden(start: number): boolean {
    return this.hidden.some((range) => start >= range.start && start < range.end);
  }
}

/** The parts of [start, end) that nothing is mapped in. */
export function holesIn(
  { cpu }: ReplayMachine,
  space: SpaceBlock,
  start: number,
  end: number,
): UsedRange[] {
  const { protocol } = cpu.machine;
  const holes: UsedRange[] = [];
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  for (let at = start; at < end;) {
    const next: Area | null = areas.nextArea(at);
    const stop = next === null ? end : Math.min(end, next.start);
    if (stop > at) holes.push({ start: at, end: stop });
    at = next === null ? end : next.end;
  }
  protocol.unlockAreas(cpu, space);
  return holes;
}

/** What a reserved range is mapped with. */
const RESERVED_FLAGS: number =
  M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_NORESERVE | M.MAP_FIXED_NOREPLACE;

/**
 * Linux places from a random address downward, this machine from MMAP_TOP: what lies between is
 * taken, so that both choose below `top`.
 */
export function boundPlacement(
  machine: ReplayMachine,
  proc: ProcessBlock,
  block: SpaceBlock,
  space: ReplaySpace,
  top: number,
): void {
  if (space.isBounded) return;
  space.isBounded = true;
  for (const { start, end } of holesIn(machine, block, top, MMAP_TOP)) {
    const at = machine.syscall(proc, SYS_MMAP, start, end - start, 0, RESERVED_FLAGS, -1, 0);
    if (at === start) space.hidden.push({ start, end });
  }
}
