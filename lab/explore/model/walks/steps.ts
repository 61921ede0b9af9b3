/** Operations of walks that are more than one syscall, or none. */
import { execDescriptors } from '../../../../kernel/objects/fd.ts';
import { exitProcess, releaseProcess } from '../../../../kernel/lifecycle/exit.ts';
import { execProcess } from '../../../../kernel/lifecycle/exec.ts';
import { createProcess } from '../../../../kernel/lifecycle/create.ts';
import { groupUsage, groupOf } from '../../../../kernel/frames/memory-group.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { copyToUser } from '../../../../kernel/mmu/user-copy.ts';
import { peekEntry } from '../../../../kernel/paging/table.ts';
import { allPids, processOf } from '../../../../kernel/processes/pid-table.ts';
import * as SIGNALS from '../../../../kernel/processes/signals.ts';
import { dispatch } from '../../../../kernel/syscalls/dispatch.ts';
import { memfdCreate } from '../../../../kernel/syscalls/open.ts';
import { peek } from '../../../../shared/atomics.ts';
import * as S from '../../../../shared/abi/syscall-numbers.ts';
import * as PROCESS from '../../../../shared/layout/process.ts';
import * as pte from '../../../../shared/pte.ts';
import { BASE_VPN, enter, leave, spaceOf } from '../kit.ts';
import type { Operation, World } from '../kit.ts';

const IOVEC_BYTES = 16;
const NAMELESS = 1;
/** Entries that are looked at: three bits each. */
const ENTRIES = 4;

/** Moves the heap's end by so many bytes: where it is then. */
export function heapBy(bytes: number): Operation {
  return {
    name: `brk by ${bytes}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      const now = dispatch(cpu, proc, S.SYS_BRK, 0, 0, 0, 0, 0, 0);
      const then = dispatch(cpu, proc, S.SYS_BRK, now + bytes, 0, 0, 0, 0, 0);
      leave(world, cpu);
      return then;
    },
  };
}

/** process_vm_readv or process_vm_writev on the process itself; the vectors are at `from`. */
export function processVm(isRead: boolean, from: number, at: number, bytes: number): Operation {
  return {
    name: isRead ? 'process_vm_readv' : 'process_vm_writev',
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      const vector = new Uint8Array(2 * IOVEC_BYTES);
      const view = new DataView(vector.buffer);
      for (const [i, base] of [at, from + IOVEC_BYTES * 4].entries()) {
        view.setUint32(i * IOVEC_BYTES, base >>> 0, true);
        view.setUint32(i * IOVEC_BYTES + 4, Math.floor(base / 2 ** 32), true);
        view.setUint32(i * IOVEC_BYTES + 8, bytes, true);
      }
      let result = copyToUser(cpu, spaceOf(world, cpu.id), from, vector);
      if (result === vector.length) {
        const number = isRead ? S.SYS_PROCESS_VM_READV : S.SYS_PROCESS_VM_WRITEV;
        const pid = peek(cpu.words, proc + PROCESS.PID);
        result = dispatch(cpu, proc, number, pid, from, 1, from + IOVEC_BYTES, 1, 0);
      }
      leave(world, cpu);
      return result;
    },
  };
}

/** Says what the process does on a signal (SIGNALS.ACTION_*), and what it blocks. */
export function handle(signal: number, action: number, mask: number): Operation {
  return {
    name: `signal ${signal}: action ${action}, mask ${mask}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      SIGNALS.setAction(cpu, proc, signal, action);
      const before = SIGNALS.setMask(cpu, proc, mask);
      const now = SIGNALS.actionOf(cpu, proc, signal);
      leave(world, cpu);
      return before * 4 + now;
    },
  };
}

/** Sends a signal that is caught, blocked or ignored: what came of it. */
export function send(signal: number): Operation {
  return {
    name: `send ${signal}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const proc = world.procs[cpu.id] as number;
      const pid = peek(cpu.words, proc + PROCESS.PID);
      const isBlocked = (SIGNALS.maskOf(cpu, proc) >>> (signal - 1)) & 1;
      const isLeft = isBlocked === 0 && SIGNALS.actionOf(cpu, proc, signal) === 0;
      const result = isLeft ? -1 : SIGNALS.sendSignal(cpu, pid, signal, 1);
      leave(world, cpu);
      return result;
    },
  };
}

/** Takes a pending signal; its number and what else is pending. */
export const take: Operation = {
  name: 'take a signal',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const proc = world.procs[cpu.id] as number;
    const signal = SIGNALS.takeSignal(cpu, proc);
    const sender = signal === 0 ? 0 : SIGNALS.signalSender(cpu, proc, signal);
    const left = SIGNALS.pendingSet(cpu, proc);
    leave(world, cpu);
    return left * 256 + signal * 4 + sender;
  },
};

/** A new file in memory, open. Its descriptor. */
export function memfd(flags: number): Operation {
  return {
    name: `memfd_create ${flags}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const fd = memfdCreate(cpu, world.procs[cpu.id] as number, NAMELESS, flags);
      leave(world, cpu);
      return fd;
    },
  };
}

/** A child, thread or process with the given sharing. Its pid. */
export function child(how: 'fork' | 'thread' | 'files' | 'group'): Operation {
  return {
    name: `new ${how}`,
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      const parent = peek(cpu.words, (world.procs[cpu.id] as number) + PROCESS.PID);
      const spec = { name: 'c', cpu: cpu.id, parent };
      const pid = createProcess(cpu, {
        ...spec,
        ...(how === 'fork' && { fork: true }),
        ...(how === 'thread' && { thread: true }),
        ...(how === 'files' && { thread: true, shareDescriptors: true }),
        ...(how === 'group' && { memoryMaxPages: 4 }),
      });
      leave(world, cpu);
      return pid;
    },
  };
}

/** Ends the youngest process that no CPU runs: its pid, or 0. `isReleased`: its parent waits. */
export function end(isReleased: boolean): Operation {
  return {
    name: 'end a child',
    run(world: World, cpu: Cpu): number {
      enter(cpu);
      let last = 0;
      for (const pid of allPids(world.machine)) {
        const proc = processOf(world.machine, pid);
        const isOver = peek(cpu.words, proc + PROCESS.STATE) === PROCESS.ZOMBIE;
        if (!isOver && !world.procs.includes(proc)) last = pid;
      }
      if (last !== 0) {
        exitProcess(cpu, last, 3, 0, 0);
        if (isReleased) releaseProcess(cpu, last);
      }
      leave(world, cpu);
      return last;
    },
  };
}

/** What the entries of the first pages say of use: present, accessed and dirty. */
export const lookAtEntries: Operation = {
  name: 'look at the entries',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const space = spaceOf(world, cpu.id);
    let result = 0;
    for (let page = 0; page < ENTRIES; page++) {
      const entry = peekEntry(cpu, space, BASE_VPN + page);
      const isThere = pte.isPresent(entry);
      const used = (entry & pte.PTE_A) !== 0 ? 2 : 0;
      const dirty = (entry & pte.PTE_D) !== 0 ? 1 : 0;
      result = result * 8 + (isThere ? 4 + used + dirty : 0);
    }
    leave(world, cpu);
    return result;
  },
};

/** What exec does to the youngest process that no CPU runs. */
export const exec: Operation = {
  name: 'exec in a child',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    let result = 0;
    for (const pid of allPids(world.machine)) {
      const proc = processOf(world.machine, pid);
      const isNew = peek(cpu.words, proc + PROCESS.STATE) === PROCESS.NEW;
      if (!isNew || world.procs.includes(proc)) continue;
      const isThread = peek(cpu.words, proc + PROCESS.TGID) !== pid;
      result = isThread ? execDescriptors(cpu, proc) : execProcess(cpu, pid, 'e');
      break;
    }
    leave(world, cpu);
    return result;
  },
};

/** Pages and spaces of the groups of all processes, as one number. */
export const countGroups: Operation = {
  name: 'look at memory groups',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    let sum = 0;
    for (const pid of allPids(world.machine)) {
      const space = peek(cpu.words, processOf(world.machine, pid) + PROCESS.SPACE);
      const usage = space === 0 ? null : groupUsage(world.machine, groupOf(cpu, space));
      if (usage === null) continue;
      sum += usage.residentPages + usage.spaces * 100 + usage.limitPages * 1000;
    }
    leave(world, cpu);
    return sum;
  },
};
