/**
 * A program's loads and stores: the model of workers/mmu.ts and workers/user-mode.ts. A hit polls
 * with a plain load, which may read an old value; everything else polls in order, walks, faults
 * into the kernel and tries again.
 */
import { stopRequested } from '../../../kernel/audit/stop.ts';
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { leaveUser } from '../../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../../kernel/mmu/kernel-entry.ts';
import { FAULT_DONE, FAULT_WAIT } from '../../../kernel/machine/fault-codes.ts';
import { handleFault } from '../../../kernel/faults/fault.ts';
import { releaseFaultObject } from '../../../kernel/faults/object-fault.ts';
import { abortPageIn, beginPageIn, finishPageIn } from '../../../kernel/faults/page-in.ts';
import { SWAP_STORE } from '../../../kernel/faults/swap-in.ts';
import { frameWord } from '../../../kernel/machine/machine.ts';
import { acknowledge, resumeUser, sweepTlb, walk } from '../../../kernel/mmu/walk.ts';
import { TLB_SLOTS } from '../../../kernel/machine/tlb.ts';
import { pendingSignal } from '../../../kernel/processes/signals.ts';
import { load, poke } from '../../../shared/atomics.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { userLoad, userStore, weakLoad } from '../runtime/facade.ts';
import { BASE_VPN, finish, spaceOf } from './kit.ts';
import type { Operation, World } from './kit.ts';
import { swapIn } from './swap-store.ts';

/** Refused accesses return less than this: minus the FAULT_* code, minus the signal. */
export const REFUSED = -1000;
export const KILLED = -2000;

const ATTEMPTS_MAX = 50;

/** `load32` of the first word of page BASE + `page`. */
export function read(page: number): Operation {
  return {
    name: `read ${page}`,
    run(world: World, cpu: Cpu): number {
      return access(world, cpu, BASE_VPN + page, false, 0);
    },
  };
}

/** The same when an ordered poll is due, at which a CPU also sweeps (flush policy `lazy`). */
export function readPolled(page: number): Operation {
  return {
    name: `read ${page} after a poll`,
    run(world: World, cpu: Cpu): number {
      return access(world, cpu, BASE_VPN + page, false, 0, true);
    },
  };
}

/** `store32` to the first word of page BASE + `page`. 0, or why not. */
export function write(page: number, value: number): Operation {
  return {
    name: `write ${page}=${value}`,
    run(world: World, cpu: Cpu): number {
      return access(world, cpu, BASE_VPN + page, true, value);
    },
  };
}

/** Touches pages of CPU `id`'s process, and leaves user mode. For setups. */
export function touchPages(
  world: World,
  id: number,
  first: number,
  pages: number,
  write = true,
): void {
  const cpu = world.cpus[id] as Cpu;
  for (let page = first; page < first + pages; page++) {
    access(world, cpu, BASE_VPN + page, write, 0);
  }
  finish.run(world, cpu);
}

/** Touches pages for writing, and leaves the CPU in user mode with its TLB full. For setups. */
export function stayInUser(world: World, id: number, first: number, pages: number): void {
  const cpu = world.cpus[id] as Cpu;
  for (let page = first; page < first + pages; page++) {
    access(world, cpu, BASE_VPN + page, true, 0);
  }
}

/** One access. `due`: the poll before it is an ordered one. */
export function access(
  world: World,
  cpu: Cpu,
  vpn: number,
  write: boolean,
  value: number,
  due: boolean = false,
): number {
  const { words, tlb } = cpu;
  if ((world.procs[cpu.id] as number) === 0) return KILLED;
  const space = spaceOf(world, cpu.id);
  if (world.live[cpu.id] !== space) {
    enterKernel(cpu);
    world.live[cpu.id] = space;
    resumeUser(cpu, tlb, space);
  }
  if (!due && weakLoad(words, space + SPACE.TLB_GEN, tlb.generation) === tlb.generation) {
    const at = lookUp(cpu, vpn, write);
    if (at !== 0) return touch(cpu, at, vpn, write, value);
  }
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    sweepTlb(cpu, tlb);
    // ORDER: as Mmu.#poll.
    if (load(words, space + SPACE.TLB_GEN) !== tlb.generation) {
      acknowledge(cpu, tlb);
      if (stopRequested(cpu)) {
        enterKernel(cpu);
        resumeUser(cpu, tlb, space);
      }
    }
    const signal = pendingSignal(cpu, world.procs[cpu.id] as number);
    if (signal !== 0) return die(world, cpu, signal);
    if (lookUp(cpu, vpn, write) !== 0 || walk(cpu, tlb, vpn, write)) {
      return touch(cpu, lookUp(cpu, vpn, write), vpn, write, value);
    }
    enterKernel(cpu);
    const outcome = fault(world, cpu, space, vpn, write);
    resumeUser(cpu, tlb, space);
    if (outcome !== FAULT_DONE) return REFUSED - outcome;
  }
  return REFUSED;
}

/** The fault, and if it is a major one the page-in, which another Worker would do. */
export function fault(world: World, cpu: Cpu, space: number, vpn: number, write: boolean): number {
  const outcome = handleFault(cpu, space, vpn, write);
  if (outcome !== FAULT_WAIT) return outcome;
  const object = cpu.faultObject;
  const page = cpu.faultPage;
  if (object === SWAP_STORE) return swapIn(cpu, page) ? FAULT_DONE : FAULT_WAIT;
  const done = pageIn(cpu, object, page);
  releaseFaultObject(cpu, object);
  return done ? FAULT_DONE : FAULT_WAIT;
}

/** Supplies a page whose first word is 1000 + its number. False when memory is exhausted. */
export function pageIn(cpu: Cpu, object: number, page: number): boolean {
  const pfn = beginPageIn(cpu);
  if (pfn === 0) return false;
  poke(cpu.words, frameWord(cpu.machine, pfn), 1000 + page);
  if (page < 0) {
    abortPageIn(cpu, pfn);
    return false;
  }
  return finishPageIn(cpu, object, page, pfn);
}

function die(world: World, cpu: Cpu, signal: number): number {
  world.live[cpu.id] = 0;
  world.procs[cpu.id] = 0;
  leaveUser(cpu);
  return KILLED - signal;
}

/** Word of the page's frame when the TLB has a translation that allows the access, else 0. */
function lookUp(cpu: Cpu, vpn: number, write: boolean): number {
  const { tlb } = cpu;
  const slot = vpn & (TLB_SLOTS - 1);
  const bases = write ? tlb.writeBase : tlb.readBase;
  return bases[slot] === vpn * PAGE_SIZE ? (tlb.frameAt[slot] as number) : 0;
}

function touch(cpu: Cpu, at: number, vpn: number, write: boolean, value: number): number {
  if (!write) return userLoad(cpu.words, at, vpn);
  userStore(cpu.words, at, vpn, value);
  return 0;
}
