/**
 * exec: a process goes on with a new program. Its address space is exchanged for an empty one; it
 * keeps its pid, its parent, the signals that it blocks, ignores and has pending, its limits, its
 * memory group and the descriptors that are not marked FD_CLOEXEC.
 *
 * Guarantees: a refusal leaves everything as it was.
 * Locking: none. The block is the caller's alone: the process sleeps in its call, and its other
 * threads have ended.
 */
import { peek, poke, store } from '../../shared/atomics.ts';
import { ENOMEM, ESRCH } from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import type { Pid, SpaceBlock } from '../../shared/units.ts';
import { groupOf, joinGroup } from '../frames/memory-group.ts';
import { storeWide } from '../frames/wide.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import { execDescriptors } from '../objects/fd.ts';
import { dropPins } from '../mmu/pin.ts';
import { dropFutexes } from '../processes/futex.ts';
import { processOf } from '../processes/pid-table.ts';
import { writeName } from '../processes/process.ts';
import { inheritLimits } from '../space/rlimits.ts';
import { createSpace, putSpace } from '../space/space.ts';
import { unmapStack } from './thread-stack.ts';

/**
 * Gives a process an empty address space, and what else exec resets. 0, -ENOMEM, or -ESRCH for one
 * that has ended. Its CPU must forget the old space before it leaves the kernel.
 */
export function execProcess(cpu: Cpu, pid: Pid, name: string): number {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  const { words } = cpu;
  const proc = processOf(cpu.machine, pid);
  if (proc === 0 || peek(words, proc + PROCESS.STATE) === PROCESS.ZOMBIE) return -ESRCH;
  const old: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  const space = createSpace(cpu);
  if (space === 0) return -ENOMEM;
  joinGroup(cpu, space, groupOf(cpu, old));
  inheritLimits(cpu, old, space);
  if (execDescriptors(cpu, proc) < 0) {
    putSpace(cpu, space);
    return -ENOMEM;
  }
  dropFutexes(cpu, proc);
  dropPins(cpu, proc);
  unmapStack(cpu, proc);
  poke(words, proc + PROCESS.SPACE, space);
  putSpace(cpu, old);
  // ORDER: what had a handler has its default action again, whoever sends it from now on.
  store(words, proc + PROCESS.SIG_CAUGHT, 0);
  storeWide(cpu.machine, proc + PROCESS.CLEAR_TID, 0);
  storeWide(cpu.machine, proc + PROCESS.FS_BASE, 0);
  writeName(cpu, proc, name);
  return 0;
}
