/**
 * A program's loads and stores. The path from a miss to the retry is the kernel's own
 * (kernel/mmu/access.ts); here are the program's test of the TLB, and the AccessHost that a Worker
 * would provide.
 */
import { handleFault } from '../../../kernel/faults/fault.ts';
import { releaseFaultObject } from '../../../kernel/faults/object-fault.ts';
import { abortPageIn, beginPageIn, finishPageIn } from '../../../kernel/faults/page-in.ts';
import { ITS_TURN } from '../../../kernel/faults/give-way.ts';
import { SWAP_STORE } from '../../../kernel/faults/swap-in.ts';
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { FAULT_DONE, FAULT_ENDED, FAULT_WAIT } from '../../../kernel/machine/fault-codes.ts';
import { frameWord } from '../../../kernel/machine/machine.ts';
import { TLB_SLOTS } from '../../../kernel/machine/tlb.ts';
import { translate } from '../../../kernel/mmu/access.ts';
import type { AccessHost } from '../../../kernel/mmu/access.ts';
import { pendingSignal } from '../../../kernel/mmu/poll.ts';
import { leaveUserMode } from '../../../kernel/mmu/user-mode.ts';
import type { UserMode } from '../../../kernel/mmu/user-mode.ts';
import {
  ACTION_CATCH,
  ACTION_DEFAULT,
  actionOf,
  defaultsToNothing,
  takeSignal,
} from '../../../kernel/processes/signals.ts';
import { poke } from '../../../shared/atomics.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { userLoad, userStore, weakLoad } from '../runtime/facade.ts';
import { BASE_VPN, contextOn, finish, spaceOf } from './kit.ts';
import type { Operation, World } from './kit.ts';
import { KILLED, REFUSED } from './result-codes.ts';
import { swapIn } from './swap-store.ts';

/** Of a CPU's own numbers, the last signal that a handler got. */
export const HANDLED = 8;
/** Signals have 31 numbers. */
const SIGNALS_MAX = 32;

/** `load32` of the first word of page BASE + `page`. */
export function read(page: number): Operation {
  return {
    name: `read page ${page}`,
    page,
    run(world: World, cpu: Cpu): number {
      return access(world, cpu, BASE_VPN + page, false, 0);
    },
  };
}

/** The same when an ordered poll is due, at which a CPU also sweeps (flush policy `lazy`). */
export function readPolled(page: number): Operation {
  return {
    name: `read page ${page} after a poll`,
    page,
    run(world: World, cpu: Cpu): number {
      return access(world, cpu, BASE_VPN + page, false, 0, true);
    },
  };
}

/** `store32` to the first word of page BASE + `page`. 0, or why not. */
export function write(page: number, value: number): Operation {
  return {
    name: `write ${value} to page ${page}`,
    page,
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

/**
 * One access. The test of the TLB is the program's (workers/cpu/memory/tlb-access.ts): its plain
 * load of the generation may give an older value. `due`: an ordered poll is due, so that it fails.
 */
export function access(
  world: World,
  cpu: Cpu,
  vpn: number,
  write: boolean,
  value: number,
  due: boolean = false,
): number {
  if ((world.procs[cpu.id] as number) === 0) return KILLED;
  const context = contextOn(world, cpu.id);
  const { generationAt, generation } = context.gate;
  if (!due && weakLoad(cpu.words, generationAt, generation) === generation) {
    const at = lookUp(cpu, vpn, write);
    if (at !== 0) return touch(cpu, at, vpn, write, value);
  }
  const mode = world.modes[cpu.id] as UserMode;
  const host = new ModelHost(world, cpu);
  const outcome = translate(mode, context, host, vpn * PAGE_SIZE, write);
  if (outcome === FAULT_ENDED) return KILLED - host.endedBy;
  if (outcome !== FAULT_DONE) return REFUSED - outcome;
  return touch(cpu, lookUp(cpu, vpn, write), vpn, write, value);
}

/** A CPU worker's part of an access: its process ends by a signal, and pages come at once. */
class ModelHost implements AccessHost {
  readonly resolvesFaults = true;
  endedBy = 0;
  readonly world: World;
  readonly cpu: Cpu;

  constructor(world: World, cpu: Cpu) {
    this.world = world;
    this.cpu = cpu;
  }

  becameLive(): void {}

  takeSignals(): boolean {
    const { id } = this.cpu;
    const proc = this.world.procs[id] as number;
    this.endedBy = pendingSignal(this.cpu, proc);
    if (this.endedBy === 0) {
      const taken = deliverSignals(this.cpu, proc);
      if (taken > 0) (this.world.mine[id] as number[])[HANDLED] = taken;
      if (taken >= 0) return true;
      this.endedBy = -taken;
    }
    this.world.procs[id] = 0;
    leaveUserMode(this.world.modes[id] as UserMode);
    return false;
  }

  resolveElsewhere(address: number, write: boolean): number {
    return resolveFault(this.cpu, spaceOf(this.world, this.cpu.id), address / PAGE_SIZE, write);
  }

  refuse(): boolean {
    return false;
  }
}

/**
 * As a CPU's Worker delivers: the last signal that a handler got, or minus one that ends the
 * process; 0 for none. What is ignored by now is passed over.
 */
export function deliverSignals(cpu: Cpu, proc: number): number {
  let result = 0;
  for (let turn = 0; turn < SIGNALS_MAX && result >= 0; turn++) {
    const signal = takeSignal(cpu, proc);
    if (signal === 0) break;
    const action = actionOf(cpu, proc, signal);
    if (action === ACTION_CATCH) result = signal;
    else if (action === ACTION_DEFAULT && !defaultsToNothing(signal)) result = -signal;
  }
  return result;
}

/** The fault, and if it is a major one the page-in, which another Worker would do. */
export function resolveFault(cpu: Cpu, space: number, vpn: number, write: boolean): number {
  const outcome = handleFault(cpu, space, vpn, write);
  if (outcome !== FAULT_WAIT) return outcome;
  return supplyWanted(cpu) ? FAULT_DONE : FAULT_WAIT;
}

/** Supplies the page that kernel code waits for, as the kernel worker does. False: no memory. */
export function supplyWanted(cpu: Cpu): boolean {
  const object = cpu.faultObject;
  const page = cpu.faultPage;
  if (object === ITS_TURN) return true;
  if (object === SWAP_STORE) return swapIn(cpu, page);
  const done = pageIn(cpu, object, page);
  releaseFaultObject(cpu, object);
  return done;
}

/** Supplies a page whose first word is 1000 + its number. False when memory is exhausted. */
function pageIn(cpu: Cpu, object: number, page: number): boolean {
  const pfn = beginPageIn(cpu);
  if (pfn === 0) return false;
  poke(cpu.words, frameWord(cpu.machine, pfn), 1000 + page);
  if (page < 0) {
    abortPageIn(cpu, pfn);
    return false;
  }
  return finishPageIn(cpu, object, page, pfn);
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
